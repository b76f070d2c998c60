interface Bar {
  readonly name: string
  readonly value: number
}

const plain = (text: string): string =>
  text.replaceAll('*', '').replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** Horizontal bars as an SVG, the first one ours. */
export function barChart(title: string, unit: string, bars: readonly Bar[]): string {
  const [width, rowHeight, labelWidth, top] = [760, 34, 260, 46]
  const most = Math.max(...bars.map(({ value }) => value))
  const rows = bars.map(({ name, value }, at) => {
    const length = ((width - labelWidth - 110) * value) / most
    const y = top + at * rowHeight
    return `<text x="${labelWidth - 10}" y="${y + 17}" text-anchor="end">${plain(name)}</text>
<rect x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="24" fill="${at === 0 ? '#1f3a5f' : '#9fb3c8'}"/>
<text x="${(labelWidth + length + 8).toFixed(1)}" y="${y + 17}">${value.toFixed(0)} ${unit}</text>`
  })
  const height = top + bars.length * rowHeight + 10
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="16" y="26" font-size="15" font-weight="bold">${plain(title)}</text>
${rows.join('\n')}
</svg>
`
}
