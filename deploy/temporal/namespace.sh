#!/bin/sh
# Makes the namespace and the search attributes that Holdfast needs. What is there already stays as it is:
# a retention that somebody has raised is never shortened, because the server would forget runs at once.
set -eu

: "${TEMPORAL_ADDRESS:?where the server is, host:port}"
export TEMPORAL_ADDRESS
namespace=${HOLDFAST_NAMESPACE:-holdfast}
retention=2160h # 90 days; the server's own default of 3 days would forget last month's restore.
attributes='
HfJob=Keyword
HfOperation=Keyword
HfHost=Keyword
HfTool=Keyword
HfCovers=Keyword
HfOutcome=Keyword
HfWaiting=Keyword
HfBytes=Int
HfRestorePoint=Datetime
'

# A server that has just started, and a namespace that was just made, need some seconds until every part knows of it.
patiently() {
  attempt=1
  until said=$("$@" 2>&1); do
    [ "$attempt" -lt 60 ] || { echo "namespace: gave up after $attempt attempts: $said" >&2; return 1; }
    attempt=$((attempt + 1))
    sleep 2
  done
}

patiently temporal operator cluster health
if temporal operator namespace describe --namespace "$namespace" >/dev/null 2>&1; then
  echo "namespace: $namespace is there"
else
  temporal operator namespace create --namespace "$namespace" --retention "$retention"
fi
patiently temporal operator search-attribute list --namespace "$namespace"
present=$said
for attribute in $attributes; do
  name=${attribute%%=*}
  if printf '%s\n' "$present" | grep -q "^ *$name "; then continue; fi
  echo "namespace: search attribute $name"
  patiently temporal operator search-attribute create --namespace "$namespace" --name "$name" --type "${attribute#*=}"
done
echo "namespace: $namespace is ready"
