# Functions of the launchers: ./heed and ./bench of a checkout, run of a bundle. Sourced after name is set.

die() {
    printf "$name: %s\n" "$@" >&2
    exit 1
}

# Sets real to the file at the end of the chain of symlinks that starts at $1.
follow() {
    real=$1
    while [ -L "$real" ]; do
        link=$(readlink "$real")
        case $link in
            /*) real=$link ;;
            *) real=${real%/*}/$link ;;
        esac
    done
}

# Sets version to the feature release of the JDK at $1; fails if there is no JDK.
jdk_version() {
    version=
    [ -x "$1/bin/javac" ] || return 1
    if [ -r "$1/release" ]; then
        while IFS='=' read -r key value; do
            [ "$key" = JAVA_VERSION ] && version=$value
        done <"$1/release"
    else
        version=$("$1/bin/java" -version 2>&1 | sed -n 's/.* version \("[^"]*"\).*/\1/p')
    fi
    version=${version#\"}
    version=${version%%[!0-9]*}
    [ -n "$version" ]
}

# Sets jdk if $1 is a JDK 25 or newer; otherwise adds what was found to seen, for the error message.
seen=
try_jdk() {
    [ -n "$1" ] && jdk_version "$1" || return 1
    if [ "$version" -ge 25 ]; then
        jdk=$1
        return 0
    fi
    seen="$seen JDK $version at $1,"
    return 1
}

jdk_of_path() {
    java=$(command -v java) || return 1
    follow "$java"
    try_jdk "${real%/bin/java}"
}

find_jdk() {
    if [ -n "$HEED_JAVA_HOME" ]; then
        try_jdk "$HEED_JAVA_HOME" && return
        die "expected a JDK 25 or newer in HEED_JAVA_HOME" "got$seen HEED_JAVA_HOME=$HEED_JAVA_HOME" \
            "HINT  point HEED_JAVA_HOME at a JDK 25, or unset it"
    fi
    try_jdk "$JAVA_HOME" && return
    jdk_of_path && return
    try_jdk "$JAVA25_HOME" && return
    for home in /usr/lib/jvm/* /usr/java/* /opt/* /opt/java/* \
        "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* /Library/Java/JavaVirtualMachines/*/Contents/Home; do
        [ -L "$home" ] || { try_jdk "$home" && return; }
    done
    if [ -x /usr/libexec/java_home ]; then
        try_jdk "$(/usr/libexec/java_home -v 25+ 2>/dev/null)" && return
    fi
    die "expected a JDK 25 or newer in HEED_JAVA_HOME, JAVA_HOME, PATH, JAVA25_HOME, /usr/lib/jvm, /opt, ~/.sdkman or ~/.jdks" \
        "got${seen:- none}" \
        "HINT  install Temurin 25 from https://adoptium.net, then: HEED_JAVA_HOME=/path/to/jdk-25 $name ..."
}

# Runs Maven for the checkout; it compiles with the JDK that find_jdk found.
maven() {
    JAVA25_HOME=${JAVA25_HOME:-$jdk} mvn -B "$@"
}

# build WHAT FIRST: runs the launcher's function compile if its function stale succeeds. WHAT names the build; FIRST is the reason
# printed at the first build. The time stamp of $target/$name-built is the start of the last successful build.
build() {
    command -v mvn >/dev/null 2>&1 ||
        die "expected Maven 3.8 or newer to build Heed, got no mvn on PATH" "HINT  apt install maven  (macOS: brew install maven)"
    mkdir -p "$target" || exit 1
    # One build at a time in a checkout; the others wait for it and use what it built.
    lock=$target/heed-building
    while ! mkdir "$lock" 2>/dev/null; do
        owner=$(cat "$lock/pid" 2>/dev/null)
        if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
            rm -rf "$lock"
        else
            sleep 0.2
        fi
    done
    trap 'rm -rf "$lock"; exit 130' INT TERM HUP
    echo $$ >"$lock/pid"
    if stale; then
        if [ -f "$target/$name-built" ]; then why="sources changed"; else why=$2; fi
        printf 'building %s (%s) ...' "$1" "$why" >&2
        log=$target/$name-build.log
        : >"$target/$name-started"
        compile >"$log" 2>&1 &
        maven=$!
        trap 'kill "$maven" 2>/dev/null; rm -rf "$lock"; echo >&2; exit 130' INT TERM HUP
        while kill -0 "$maven" 2>/dev/null; do
            sleep 1
            printf '.' >&2
        done
        if ! wait "$maven"; then
            rm -rf "$lock"
            echo " failed" >&2
            grep -E '^\[ERROR\]' "$log" | grep -v -i -e 'help 1' -e 're-run maven' -e 'for more information' -e '^\[ERROR\] *$' | head -n 20 >&2
            die "the build failed; its full output is in $log"
        fi
        mv "$target/$name-started" "$target/$name-built"
        echo " done" >&2
    fi
    rm -rf "$lock"
    trap - INT TERM HUP
}

# In the C locale, or in a locale that is not installed, a JVM cannot decode bytes beyond ASCII.
read_utf8() {
    case ${LC_ALL:-${LC_CTYPE:-$LANG}} in
        "" | C | POSIX) ascii=true ;;
        *) case $(locale charmap 2>/dev/null) in ANSI_X3.4-1968 | US-ASCII) ascii=true ;; *) ascii=false ;; esac ;;
    esac
    if "$ascii"; then export LC_ALL=C.UTF-8; fi
}
