/** The digits after the second: Graph writes up to seven and trims zeros, more than a Date can hold. */
const fraction = (dateTime: string): number => Number(/\.\d+/.exec(dateTime)?.[0] ?? 0)

/** Orders two of Graph's date-times, oldest first, to the last digit. Pure. */
export const compareDateTimes = (a: string, b: string): number =>
  Date.parse(a) - Date.parse(b) || fraction(a) - fraction(b)
