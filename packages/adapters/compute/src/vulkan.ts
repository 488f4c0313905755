/**
 * Finds Vulkan for Dawn on a Linux machine. Where there is neither a Vulkan loader nor a driver, Chromium's package
 * brings both: a loader, and SwiftShader, which is exact and runs on the CPU.
 */
import { dlopen } from 'bun:ffi'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Where Debian, Fedora, Arch, Google's own package and Snap put Chromium's libraries. */
const chromiumFolders = [
  '/usr/lib/chromium',
  '/usr/lib/chromium-browser',
  '/usr/lib64/chromium-browser',
  '/opt/google/chrome',
  '/snap/chromium/current/usr/lib/chromium-browser',
]
const driverFolders = ['/etc/vulkan/icd.d', '/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d']
const loaderName = 'libvulkan.so.1'
const driverName = 'vk_swiftshader_icd.json'

function opens(library: string): boolean {
  try {
    dlopen(library, { vkEnumerateInstanceVersion: { args: ['ptr'], returns: 'u32' } })
    return true
  } catch {
    return false
  }
}

/**
 * Makes a Vulkan loader known to the process: the system's, or else Chromium's. Once a library of that name is loaded,
 * Dawn's own search for it by name is answered with it.
 */
export function loadVulkan(): boolean {
  if (process.platform !== 'linux') return true
  return opens(loaderName) || chromiumFolders.some((folder) => opens(join(folder, loaderName)))
}

/** Whether this machine, or its user, names any Vulkan driver. */
export function hasDriver(): boolean {
  if (process.platform !== 'linux') return true
  if (process.env.VK_ICD_FILENAMES || process.env.VK_DRIVER_FILES || process.env.VK_ADD_DRIVER_FILES)
    return true
  return driverFolders.some(
    (folder) => existsSync(folder) && readdirSync(folder).some((file) => file.endsWith('.json')),
  )
}

/**
 * Names SwiftShader as the only driver, if it can be found. It is set through the C library because Bun keeps what is
 * assigned to `process.env` to itself, where the loader does not see it.
 */
export function chooseSwiftShader(): string | undefined {
  if (process.platform !== 'linux') return undefined
  const driver = chromiumFolders.map((folder) => join(folder, driverName)).find((file) => existsSync(file))
  if (driver === undefined) return undefined
  const library = dlopen('libc.so.6', {
    setenv: { args: ['cstring', 'cstring', 'i32'], returns: 'i32' },
  })
  library.symbols.setenv(Buffer.from('VK_ICD_FILENAMES\0'), Buffer.from(`${driver}\0`), 1)
  return driver
}
