# What the runs below this folder share. It is sourced; the caller has `skip REASON`, which ends a check without a failure.

explain() { printf 'interop: %s\n' "$*" >&2; }

# A registry that does not answer is no fault of ours; anything else that an installer refuses is.
away='ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT'
# pip says no more than this when it does not try again.
away="$away|NewConnectionError|ConnectTimeoutError|ProxyError|\(from versions: none\)"

# Runs an installer quietly; tells everything when it fails. 75 when its registry does not answer.
install() {
    local said status=0
    said=$(mktemp)
    "$@" >"$said" 2>&1 || status=$?
    if [ "$status" -ne 0 ]; then
        cat "$said" >&2
        if grep -Eq "$away" "$said"; then status=75; fi
    fi
    rm -f "$said"
    return "$status"
}

# Everything that is spoken to listens on this machine.
directly() {
    env -u http_proxy -u https_proxy -u all_proxy -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY "$@"
}

# Node.js of at least this major version, and npm.
need_node() {
    local major
    command -v node >/dev/null || skip "node is missing; install Node.js $1 or newer"
    command -v npm >/dev/null || skip 'npm is missing; install it beside Node.js'
    major=$(node -p 'process.versions.node.split(".")[0]')
    [ "$major" -ge "$1" ] || skip "node $(node --version) is too old; install $1 or newer"
}

# What a folder's package-lock.json pins, unless it is there already.
need_packages() {
    local folder=$1 installed=$1/node_modules/.installed-from status=0
    if cmp -s "$folder/package-lock.json" "$installed"; then return; fi
    install npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund || status=$?
    if [ "$status" -eq 75 ]; then skip 'the npm registry cannot be reached'; fi
    if [ "$status" -ne 0 ]; then
        explain "npm ci failed in $folder; does package-lock.json fit package.json?"
        exit 1
    fi
    cp "$folder/package-lock.json" "$installed"
}
