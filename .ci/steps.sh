# shellcheck shell=bash
# Functions of the scripts in this folder, which source this file: steps that end the script if they fail, and a table of their
# seconds at the end. scratch is a folder that is deleted at the end.

scratch=$(mktemp -d)
steps=()
current=
complete=   # set by the script after its last step
background= # a process that is ended with the script
exec {output}>&1
finish() {
    code=$?
    exec >&"$output" # a signal may come while a command writes to a file
    [ -z "$background" ] || kill "$background" 2>/dev/null || true
    rm -rf "$scratch" 2>/dev/null || { sleep 2; rm -rf "$scratch"; } # the process may still write
    echo
    printf '%s\n' "${steps[@]+"${steps[@]}"}"
    if [ -n "$complete" ]; then
        echo "ok      all of ${#steps[@]} steps in ${SECONDS}s"
    else
        echo "FAILED  ${current:-before the first step} (exit code $code), ${SECONDS}s after the start"
    fi
}
trap finish EXIT
# A signal must end the script with its own exit code, whatever the running step returns.
trap 'trap - INT; exit 130' INT
trap 'exit 143' TERM HUP

# step NAME COMMAND...: a command may set detail, which the table shows after the name.
step() {
    current=$1
    detail=
    shift
    local start=$SECONDS
    printf '\n=== %s\n' "$current"
    "$@"
    steps+=("$(printf 'ok %4ds %s' $((SECONDS - start)) "$current${detail:+: $detail}")")
}

jdk_25() {
    local home
    for home in "${JAVA25_HOME:-}" "${JAVA_HOME:-}" /usr/lib/jvm/* /usr/java/* /opt/* /opt/java/* "$HOME"/.sdkman/candidates/java/*; do
        if [ -x "$home/bin/javac" ] && grep -qE '^JAVA_VERSION="(2[5-9]|[3-9][0-9])' "$home/release" 2>/dev/null; then
            echo "$home"
            return
        fi
    done
    echo "expected a JDK 25 or newer in JAVA25_HOME, JAVA_HOME, /usr/lib/jvm, /usr/java, /opt or ~/.sdkman; got none" >&2
    echo "HINT  Debian 12 has none in apt: unpack Temurin 25 (https://adoptium.net) into /usr/lib/jvm" >&2
    return 1
}

copy_to() {
    mkdir -p "$1"
    git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$1"
}
