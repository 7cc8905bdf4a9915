#!/bin/sh
# Certificates for mutual TLS, for a house: one authority, one certificate for the server, one for each client.
#   certificates.sh FOLDER server NAME|ADDRESS…    ca.pem, ca-key.pem (once), server.pem, server-key.pem
#   certificates.sh FOLDER client NAME             NAME.pem, NAME-key.pem
# Nothing that is there is written over. Whoever has ca-key.pem can make clients: keep it away from the server.
set -eu
umask 077

[ $# -ge 3 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
folder=$1
kind=$2
shift 2
days=${CERTIFICATE_DAYS:-825}

new() {
  name=$1
  shift
  [ ! -e "$folder/$name.pem" ] || { echo "$folder/$name.pem is there already" >&2; exit 1; }
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
    -keyout "$folder/$name-key.pem" -out "$folder/$name.pem" "$@" 2>/dev/null
  chmod 644 "$folder/$name.pem"
  echo "$folder/$name.pem"
}

signed() {
  name=$1
  shift
  new "$name" -days "$days" -CA "$folder/ca.pem" -CAkey "$folder/ca-key.pem" \
    -addext basicConstraints=critical,CA:FALSE "$@"
}

# What lies above may hold what others read, holdfast.yaml for one.
(umask 022 && mkdir -p "$(dirname "$folder")")
mkdir -p "$folder"
[ -e "$folder/ca.pem" ] || new ca -days 3650 -addext keyUsage=critical,keyCertSign,cRLSign

case $kind in
  server)
    names=DNS:temporal
    for name in "$@"; do
      case $name in
        *:* | [0-9]*.[0-9]*.[0-9]*.[0-9]*) names=$names,IP:$name ;;
        *) names=$names,DNS:$name ;;
      esac
    done
    # clientAuth as well: the server's own worker comes in by the same door as everybody else.
    signed server -addext "subjectAltName=$names" -addext extendedKeyUsage=serverAuth,clientAuth
    ;;
  client)
    case $1 in ca | server | -* | *[!a-z0-9-]*) echo "\"$1\" cannot be the name of a client" >&2; exit 2 ;; esac
    signed "$1" -addext extendedKeyUsage=clientAuth
    ;;
  *) echo "server or client, not \"$kind\"" >&2; exit 2 ;;
esac
