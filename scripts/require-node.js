// Plain JavaScript, so that an old Node can read it: says in one sentence what is missing, before
// any TypeScript is loaded.
const oldest = 24
if (Number.parseInt(process.versions.node, 10) < oldest) {
  process.stderr.write(
    `Cannot start on Node ${process.versions.node}: Node ${oldest} is needed. Run "npm ci", which brings it along on ` +
      `Linux and Windows, or install Node ${oldest} yourself.\n`,
  )
  process.exit(1)
}
