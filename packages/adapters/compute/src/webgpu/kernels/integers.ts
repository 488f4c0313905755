/**
 * Exact integers of 64 bits in WGSL, which has none: a pair of limbs, the low one in x, two's complement. The functions
 * are those of `limbs.ts` in the tensor package, line by line (spec T7).
 */
export const wideIntegers = /* wgsl */ `
fn widen(x: i32) -> vec2u { return vec2u(bitcast<u32>(x), bitcast<u32>(x >> 31u)); }

fn addWide(x: vec2u, y: vec2u) -> vec2u {
  let low = x.x + y.x;
  return vec2u(low, x.y + y.y + select(0u, 1u, low < x.x));
}

fn negateWide(x: vec2u) -> vec2u { return addWide(~x, vec2u(1u, 0u)); }

fn multiplyUnsigned(x: u32, y: u32) -> vec2u {
  let xLow = x & 0xffffu;
  let xHigh = x >> 16u;
  let yLow = y & 0xffffu;
  let yHigh = y >> 16u;
  let lowest = xLow * yLow;
  let other = xHigh * yLow + (lowest >> 16u);
  let middle = xLow * yHigh + (other & 0xffffu);
  return vec2u((middle << 16u) | (lowest & 0xffffu), xHigh * yHigh + (other >> 16u) + (middle >> 16u));
}

fn multiplySigned(x: i32, y: i32) -> vec2u {
  let product = multiplyUnsigned(bitcast<u32>(x), bitcast<u32>(y));
  let excess = select(0u, bitcast<u32>(y), x < 0) + select(0u, bitcast<u32>(x), y < 0);
  return vec2u(product.x, product.y - excess);
}

fn shiftLeft(x: vec2u, count: u32) -> vec2u {
  if (count == 0u) { return x; }
  if (count >= 32u) { return vec2u(0u, x.x << (count - 32u)); }
  return vec2u(x.x << count, (x.y << count) | (x.x >> (32u - count)));
}

fn shiftRight(x: vec2u, count: u32) -> vec2u {
  let high = bitcast<i32>(x.y);
  if (count == 0u) { return x; }
  if (count >= 32u) { return vec2u(bitcast<u32>(high >> (count - 32u)), bitcast<u32>(high >> 31u)); }
  return vec2u((x.x >> count) | (x.y << (32u - count)), bitcast<u32>(high >> count));
}

fn roundShiftWide(x: vec2u, count: u32) -> vec2u {
  if (count == 0u) { return x; }
  return shiftRight(addWide(x, shiftLeft(vec2u(1u, 0u), count - 1u)), count);
}

fn atMost(x: vec2u, y: vec2u) -> bool { return x.y < y.y || (x.y == y.y && x.x <= y.x); }

fn clampWide(x: vec2u, low: i32, high: i32) -> i32 {
  let value = bitcast<i32>(x.x);
  if (bitcast<u32>(value >> 31u) == x.y) { return clamp(value, low, high); }
  return select(high, low, bitcast<i32>(x.y) < 0);
}

fn divideUnsigned(x: vec2u, divisor: u32) -> vec2u {
  var quotient = vec2u(0u);
  var left = x;
  var rest = 0u;
  for (var bit = 0u; bit < 64u; bit++) {
    let carry = rest >> 31u;
    rest = (rest << 1u) | (left.y >> 31u);
    left = shiftLeft(left, 1u);
    quotient = shiftLeft(quotient, 1u);
    if (carry == 1u || rest >= divisor) {
      rest -= divisor;
      quotient.x |= 1u;
    }
  }
  return quotient;
}

fn squareRoot(x: vec2u) -> u32 {
  var root = 0u;
  for (var bit = 32u; bit > 0u; bit--) {
    let candidate = root | (1u << (bit - 1u));
    if (atMost(multiplyUnsigned(candidate, candidate), x)) { root = candidate; }
  }
  return root;
}
`

/** floor((x + 2^(count-1)) / 2^count) where the sum fits 32 bits. */
export const roundShift = /* wgsl */ `
fn roundShift(x: i32, count: u32) -> i32 {
  if (count == 0u) { return x; }
  return (x + (1i << (count - 1u))) >> count;
}
`

/** floor(x / divisor) for a divisor above zero, where WGSL's division goes towards zero. */
export const floorDivide = /* wgsl */ `
fn floorDivide(x: i32, divisor: i32) -> i32 {
  let quotient = x / divisor;
  return quotient - select(0, 1, x % divisor < 0);
}
`
