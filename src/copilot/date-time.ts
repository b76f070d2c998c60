/**
 * The digits after the second: Graph writes up to seven and trims zeros, more than a Date can hold.
 */
const fraction = (dateTime: string): number => Number(/\.\d+/.exec(dateTime)?.[0] ?? 0)

/** The newest of these, `undefined` of none. Pure. */
export const newestOf = <Item extends { readonly createdDateTime: string }>(
  items: readonly Item[],
): Item | undefined =>
  items.toSorted((a, b) => compareDateTimes(a.createdDateTime, b.createdDateTime)).at(-1)

/** Orders two of Graph's date-times, oldest first, to the last digit. Pure. */
export const compareDateTimes = (a: string, b: string): number =>
  Date.parse(a) - Date.parse(b) || fraction(a) - fraction(b)
