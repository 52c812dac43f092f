# shellcheck shell=sh
# Sourced by what fetches: the system's own certificates, so that a company's certificate authority is known to uv and
# pip too, which otherwise trust only the list that they ship with.
for certificates in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem; do
    if [ -z "${SSL_CERT_FILE:-}" ] && [ -s "$certificates" ]; then
        export SSL_CERT_FILE="$certificates"
    fi
done
if [ -n "${SSL_CERT_FILE:-}" ]; then
    export PIP_CERT="${PIP_CERT:-$SSL_CERT_FILE}"
fi
