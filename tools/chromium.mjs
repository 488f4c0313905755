// Finds the system's Chromium, and installs it where that needs nobody's permission: as root on Debian and Ubuntu.
// Anywhere else it names the one command to run. Nothing is downloaded but from the system's package manager.

import { accessSync, constants, readFileSync } from 'node:fs'
import path from 'node:path'
import { runQuietly } from './child.mjs'
import { Failure } from './failure.mjs'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const usualPaths = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/** @returns {string | undefined} */
export function findChromium(environment = process.env) {
  const chosen = environment.SHARDY_CHROMIUM ?? ''
  if (chosen !== '') {
    if (isExecutable(chosen)) return chosen
    throw new Failure(`SHARDY_CHROMIUM names ${chosen}, which is not a program that can be run`, {
      next: 'Set SHARDY_CHROMIUM to the full path of Chromium or Chrome, or unset it.',
    })
  }
  const folders = (environment.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '')
  const candidates = folders.flatMap((folder) => names.map((name) => path.join(folder, name)))
  return [...candidates, ...usualPaths].find(isExecutable)
}

/** @returns {Promise<string>} the program's path */
export async function installChromium() {
  const system = systemNames()
  if (!system.includes('debian') || process.getuid?.() !== 0) {
    throw new Failure('The browser tests need Chromium or Chrome, and none was found on this machine', {
      next: `Run: ${installCommand(system)}  (or set SHARDY_CHROMIUM to the path of one)`,
    })
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const next = 'Mend what apt says above, or install Chromium yourself and set SHARDY_CHROMIUM to its path.'
  await runQuietly({ label: 'apt-get update', program: 'apt-get', args: ['update'], cwd: '/', env, next })
  const args = ['install', '-y', '--no-install-recommends', 'chromium']
  await runQuietly({ label: 'installing chromium', program: 'apt-get', args, cwd: '/', env, next })
  const found = findChromium()
  if (found === undefined)
    throw new Failure('apt installed chromium, yet no chromium is on the PATH', { next })
  // Ubuntu's package is only a pointer to a snap, which does not start in a container.
  await runQuietly({
    label: 'starting chromium',
    program: found,
    args: ['--version', '--no-sandbox'],
    cwd: '/',
    env,
    next,
  })
  return found
}

/** The distribution's own name and those it descends from. */
function systemNames() {
  if (process.platform !== 'linux') return [process.platform]
  try {
    const lines = readFileSync('/etc/os-release', 'utf8').split('\n')
    const values = lines.filter((line) => /^ID(_LIKE)?=/.test(line)).map((line) => line.split('=')[1] ?? '')
    const found = values.join(' ').replaceAll('"', '').split(' ')
    return found.includes('ubuntu') ? [...found, 'debian'] : found
  } catch {
    return ['linux']
  }
}

/** @param {readonly string[]} system */
function installCommand(system) {
  if (system.includes('darwin')) return 'brew install --cask google-chrome'
  if (system.includes('win32')) return 'winget install Google.Chrome'
  if (system.includes('debian')) return 'sudo apt-get update && sudo apt-get install -y chromium'
  if (system.includes('fedora')) return 'sudo dnf install -y chromium'
  if (system.includes('arch')) return 'sudo pacman -S chromium'
  if (system.includes('alpine')) return 'sudo apk add chromium'
  return "your package manager's command for chromium"
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
