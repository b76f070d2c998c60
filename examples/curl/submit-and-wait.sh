#!/usr/bin/env bash
# Asks Security Copilot and prints the answer: waits on the submit, then follows Location.
#   submit-and-wait.sh 'Which users signed in from two countries today?'
# SERVICE: the service's address. AUTHORIZATION: "Bearer …" with a user's token for this API; not needed on the sandbox.
# Needs curl and jq.
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

# One key for all attempts: a retry never runs the prompt twice.
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
body=$(jq --null-input --arg prompt "$1" '{PromptContent: $prompt}')
status=$(ask "$service/process-prompt" -H "Idempotency-Key: $key" --retry 3 --data "$body")
while [ "$status" = 202 ]; do
  sleep "$(header Retry-After)"
  status=$(ask "$(header Location)")
done

if [ "$status" != 200 ]; then
  jq --raw-output '"\(.error.code): \(.error.message)"' "$answer/body" >&2
  exit 1
fi
# Completed is not success: the result type says which.
[ "$(jq --raw-output .evaluationResultType "$answer/body")" = Success ] || { jq . "$answer/body" >&2; exit 2; }
jq --raw-output .EvaluationResultContent "$answer/body"
