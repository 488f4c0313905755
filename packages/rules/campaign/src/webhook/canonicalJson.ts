/** JSON with one spelling: names sorted, no white space, ASCII only, whole numbers in plain digits, amounts as text. */
export type JsonValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue }

export function canonicalJson(value: JsonValue): string {
  if (typeof value === 'bigint') return `"${value}"`
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} has no one spelling`)
    return String(value === 0 ? 0 : value)
  }
  if (typeof value === 'string') return quoted(value)
  if (value === null || typeof value === 'boolean') return String(value)
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([name, held]) => `${quoted(name)}:${canonicalJson(held)}`).join(',')}}`
}

const isList = (value: object): value is readonly JsonValue[] => Array.isArray(value)

/** What is not ASCII is escaped, so that text and bytes are the same thing. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
