#!/usr/bin/env bash
# Runs the promptbook "Incident investigation" and prints the answer to each of its prompts: waits, then follows Location.
#   run-promptbook.sh 4711 'a security analyst on call'
# SERVICE: the service's address. AUTHORIZATION: "Bearer …" with a user's token for this API; not needed on the sandbox.
# PAUSE: seconds between two looks, else what the service asks for. Needs curl and jq.
set -euo pipefail
service=${SERVICE:-http://localhost:8080}
headers=(-H 'Content-Type: application/json')
[ -z "${AUTHORIZATION:-}" ] || headers+=(-H "Authorization: $AUTHORIZATION")
answer=$(mktemp -d)
trap 'rm -rf "$answer"' EXIT

# Sends one request; its status is printed, its headers and body are left in $answer.
ask() {
  curl --silent --show-error --max-time 120 -D "$answer/headers" -o "$answer/body" -w '%{http_code}' "${headers[@]}" "$@"
}
header() {
  tr -d '\r' <"$answer/headers" | awk -v name="$1:" 'tolower($1) == tolower(name) { value = $2 } END { print value }'
}

# One key for all attempts: a retry never runs a prompt twice.
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
body=$(jq --null-input --arg incident "$1" --arg audience "${2:-a security analyst on call}" \
  '{PromptbookId: "3f0d8a52-6c1e-4b7f-9d34-5a2e71c8b960", PromptbookInputs: {IncidentId: $incident, Audience: $audience}}')
status=$(ask "$service/run-promptbook" -H "Idempotency-Key: $key" --retry 3 --data "$body")
while [ "$status" = 202 ]; do
  sleep "${PAUSE:-$(header Retry-After)}"
  status=$(ask "$(header Location)")
done

if [ "$status" != 200 ]; then
  jq --raw-output '"\(.error.code): \(.error.message)"' "$answer/body" >&2
  exit 1
fi
# 200 is not success: the state says whether all prompts were answered.
[ "$(jq --raw-output .promptbookState "$answer/body")" = Completed ] || { jq . "$answer/body" >&2; exit 2; }
jq --raw-output '.evaluationResults[] | "## \(.promptContent)\n\n\(.evaluationResultContent)\n"' "$answer/body"
