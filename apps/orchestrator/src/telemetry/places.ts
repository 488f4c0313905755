/** Places for those who listen: so many in all, and so many for each, so that nobody alone can take them from the rest. */
export interface Places {
  /** The returned function gives it back; undefined when there is none left for this one. */
  take(who: string): (() => void) | undefined
  size(): number
}

export function createPlaces(max: number, eachMax: number): Places {
  const taken = new Map<string, number>()
  let size = 0
  return {
    take(who) {
      const own = taken.get(who) ?? 0
      if (size >= max || own >= eachMax) return undefined
      taken.set(who, own + 1)
      size++
      let isBack = false
      return () => {
        if (isBack) return
        isBack = true
        size--
        const left = (taken.get(who) ?? 0) - 1
        if (left > 0) taken.set(who, left)
        else taken.delete(who)
      }
    },
    size: () => size,
  }
}
