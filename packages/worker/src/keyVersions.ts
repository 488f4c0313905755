/** Keys by version, opened when they are first asked for and kept in memory; what could not be opened is tried again next time. */

/** Many more would be held by nobody who rotates keys now and then. */
const versionsMax = 4

export function createKeyVersions<Opened>(
  open: (verifierVersion: number) => Promise<Opened>,
): (verifierVersion: number) => Promise<Opened> {
  const versions = new Map<number, Promise<Opened>>()
  return (verifierVersion) => {
    const known = versions.get(verifierVersion)
    if (known !== undefined) return known
    const opening = open(verifierVersion)
    versions.set(verifierVersion, opening)
    opening.catch(() => versions.delete(verifierVersion))
    const [oldest] = versions.keys()
    if (versions.size > versionsMax && oldest !== undefined) versions.delete(oldest)
    return opening
  }
}
