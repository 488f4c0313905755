/**
 * The work in hand as a picture: a field of shards that fills as the device computes. The same is said in words and
 * as a progress bar elsewhere, so readers of screens skip it.
 */
const rows = 3
const columns = 60
const count = rows * columns
/** Of one shard; neighbours stand on their heads and overlap by half. */
const side = 10
const height = 16
const gap = 1.2

/** The same scattered order every time: 77 shares no factor with 180, so every shard has its turn. */
function turnOf(index: number): number {
  return (index * 77 + 31 * Math.floor(index / columns)) % count
}

function pointsOf(index: number): string {
  const row = Math.floor(index / columns)
  const column = index % columns
  const left = column * side + gap
  const right = (column + 2) * side - gap
  const top = row * height + gap / 2
  const bottom = (row + 1) * height - gap / 2
  const middle = (left + right) / 2
  const isUpright = (row + column) % 2 === 0
  return isUpright
    ? `${left},${bottom} ${middle},${top} ${right},${bottom}`
    : `${left},${top} ${right},${top} ${middle},${bottom}`
}

const shards = Array.from({ length: count }, (_, index) => ({ points: pointsOf(index), turn: turnOf(index) }))

/** `permille` is undefined when nothing is computed. */
export function Shards({ permille }: { readonly permille: number | undefined }) {
  const lit = permille === undefined ? 0 : Math.max(1, Math.round((permille * count) / 1000))
  return (
    <svg className="shards" viewBox={`0 0 ${(columns + 1) * side} ${rows * height}`} aria-hidden="true">
      {shards.map(({ points, turn }) => (
        <polygon key={points} points={points} data-lit={turn < lit} />
      ))}
    </svg>
  )
}
