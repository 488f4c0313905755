// Refuses a Node that is too old, in words, before anything else runs.
// Every command imports this file first; it must parse on old releases, so it uses nothing modern.

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Shardy needs Node 20.19 or newer; this is Node ${process.versions.node}.`)
  console.error(
    'Install a current Node from your package manager or https://nodejs.org, then run the command again.',
  )
  process.exit(1)
}
