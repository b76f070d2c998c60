#!/usr/bin/env bash
# Asks Security Copilot and prints the answer: submits without waiting, then loops on Fetch prompt status.
#   submit-and-loop.sh 'Which users signed in from two countries today?'
# SERVICE: the service's address. AUTHORIZATION: "Bearer …" with a user's token for this API; not needed on the sandbox.
# PAUSE: seconds between two looks. Needs curl and jq.
set -euo pipefail
service=${SERVICE:-http://localhost:8080}
headers=(-H 'Content-Type: application/json')
[ -z "${AUTHORIZATION:-}" ] || headers+=(-H "Authorization: $AUTHORIZATION")

# Sends one request and prints its body; an error ends the script with what the service says.
ask() {
  local answer
  answer=$(curl --silent --show-error --max-time 120 --fail-with-body --retry 3 "${headers[@]}" "$@") ||
    { jq --raw-output '"\(.error.code): \(.error.message)"' <<<"$answer" >&2; return 1; }
  printf '%s' "$answer"
}

# One key for all attempts: a retry never runs the prompt twice.
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
body=$(jq --null-input --arg prompt "$1" '{PromptContent: $prompt}')
run=$(ask "$service/process-prompt" -H "Idempotency-Key: $key" -H 'Prefer: respond-async' --data "$body")
at=$(jq --raw-output '"/sessions/\(.sessionId)/prompts/\(.promptId)/evaluations/\(.evaluationId)"' <<<"$run")

until [[ $(jq --raw-output .evaluationState <<<"$run") =~ ^(Completed|Cancelled)$ ]]; do
  sleep "${PAUSE:-10}"
  run=$(ask "$service$at")
done

# Completed is not success: the result type says which.
[ "$(jq --raw-output .evaluationResultType <<<"$run")" = Success ] || { jq . <<<"$run" >&2; exit 2; }
jq --raw-output .EvaluationResultContent <<<"$run"
