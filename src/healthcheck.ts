// The container's health check: exits with 0 when the process answers. Liveness, not readiness: a
// restart cures no dependency.
const { PORT = '8080' } = process.env
const alive = await fetch(`http://127.0.0.1:${PORT}/livez`).then(
  ({ ok }) => ok,
  () => false,
)
process.exitCode = alive ? 0 : 1
