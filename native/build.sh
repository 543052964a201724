#!/bin/sh
# Builds the native kernels: native/build.sh [--if-possible] FOLDER writes FOLDER/libheed.so and FOLDER/libheed.so.sha256.
# CC names the compiler (gcc or clang), CFLAGS adds options. With --if-possible a missing compiler is reported in one line and is
# not an error. The same compiler gives the same bytes in any folder: the library holds no path, date or build id.
set -eu

optional=
if [ "${1:-}" = --if-possible ]; then
    optional=yes
    shift
fi
[ $# -eq 1 ] || { echo "usage: native/build.sh [--if-possible] FOLDER" >&2; exit 2; }
to=$1
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

not_built() {
    echo "native kernels not built: $1"
    [ -n "$optional" ] && exit 0
    exit 1
}

compiler=${CC:-}
if [ -z "$compiler" ]; then
    for name in gcc clang cc; do
        command -v "$name" >/dev/null 2>&1 && { compiler=$name; break; }
    done
fi
[ -n "$compiler" ] || not_built "no gcc or clang found; Heed uses the Vector API instead. HINT: apt install gcc libc6-dev"
if [ -n "$optional" ]; then
    case "$(uname -s) $(uname -m)" in
        "Linux x86_64") ;;
        *) not_built "the jar has them for Linux x86-64 only, and this is $(uname -s) $(uname -m). HINT: native/build.sh FOLDER" ;;
    esac
fi

library=$to/libheed.so
if [ -f "$library" ] && [ -f "$library.sha256" ] && [ -z "$(find "$here" -newer "$library" | head -n 1)" ]; then
    exit 0
fi
mkdir -p "$to"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$here"
no_build_id=-Wl,--build-id=none
[ "$(uname -s)" = Darwin ] && no_build_id= # the linker of macOS has no such option
# shellcheck disable=SC2086  # CFLAGS may hold several options
if ! "$compiler" -std=c11 -O3 -fPIC -shared -fvisibility=hidden -ffp-contract=off -fno-math-errno \
    -Wall -Wextra -Werror -Wno-unknown-pragmas -g0 $no_build_id ${CFLAGS:-} \
    -o "$work/libheed.so" ./*.c -lm >"$work/log" 2>&1; then
    cat "$work/log" >&2
    not_built "$compiler failed, see above"
fi
chmod 644 "$work/libheed.so"
sum=$(sha256sum "$work/libheed.so" 2>/dev/null || shasum -a 256 "$work/libheed.so")
printf '%s\n' "${sum%% *}" >"$work/libheed.so.sha256"
mv "$work/libheed.so.sha256" "$library.sha256"
mv "$work/libheed.so" "$library"
echo "native kernels built by $compiler"
