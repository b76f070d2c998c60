import { squarePng, type Colour } from './png.ts'

/** Pixels a side: what connectors use (connector-rules.md, 2.1). */
export const iconSize = 230

const white: Colour = [255, 255, 255]
const spark: Colour = [255, 200, 87]

/** The colour of `#rrggbb`. */
export const colourOf = (hex: string): Colour => {
  const value = Number.parseInt(hex.slice(1), 16)
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255]
}

// Shapes are in units of the icon's half side, from -1 to 1; a point inside gives true.

/** A shield: straight sides above, two arcs that meet in a point below. */
function inShield(x: number, y: number): boolean {
  const [top, shoulder, tip] = [-0.66, -0.1, 0.78]
  if (y < top || y >= tip) return false
  const depth = Math.max(0, (y - shoulder) / (tip - shoulder))
  return Math.abs(x) < 0.56 * (1 - depth ** 2.2)
}

/** A star of four rays. */
const inSpark = (x: number, y: number): boolean => Math.abs(x) ** 0.6 + Math.abs(y + 0.02) ** 0.6 < 0.38 ** 0.6

/** Points looked at in each pixel, a side: smooth edges. */
const samples = 4

/** The icon: a spark in a shield on the brand colour. */
export function drawIcon(brandColour: string): Buffer {
  const background = colourOf(brandColour)
  const at = (x: number, y: number): Colour => {
    if (!inShield(x, y)) return background
    return inSpark(x, y) ? spark : white
  }
  return squarePng(iconSize, (column, row) => {
    const colours = Array.from({ length: samples ** 2 }, (_, sample) => {
      const x = column + ((sample % samples) + 0.5) / samples
      const y = row + (Math.floor(sample / samples) + 0.5) / samples
      return at((2 * x) / iconSize - 1, (2 * y) / iconSize - 1)
    })
    const mean = (channel: 0 | 1 | 2): number =>
      Math.round(colours.reduce((sum, colour) => sum + colour[channel], 0) / colours.length)
    return [mean(0), mean(1), mean(2)]
  })
}
