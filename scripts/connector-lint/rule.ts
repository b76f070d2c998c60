/** What is checked: JSON of any shape, since the file may be wrong in any way. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any

/** One rule of the platform's validators or designers. */
export interface Rule {
  /** What must hold, as a sentence. */
  readonly name: string
  /** Where it does not hold, and why; empty when all is well. Pure. */
  check(subject: Json): string[]
}

/** A rule about each of many things: `is` tells whether the rule holds of one. */
export const each = (
  name: string,
  things: (subject: Json) => readonly (readonly [where: string, thing: Json])[],
  is: (thing: Json) => boolean,
): Rule => ({
  name,
  check: subject =>
    things(subject)
      .filter(([, thing]) => !is(thing))
      .map(([where]) => where),
})

/** A rule about the whole. */
export const whole = (name: string, is: (subject: Json) => boolean): Rule => ({
  name,
  check: subject => (is(subject) ? [] : ['the whole']),
})
