#!/usr/bin/env python3
"""Times PyTorch's scaled_dot_product_attention on a CUDA GPU; `heed bench --beside FILE` prints the times next to Heed's.

Runs every row of grid.tsv with the backends flash, cudnn, efficient and math, forward and backward, on random inputs on the
GPU. CUDA events time single calls; the result is the median of up to 30 calls after three warm-up calls. f32 rows run with
TF32 forbidden, f32+tf32 rows with TF32 allowed. If a backend refuses a row, its reason is recorded.

    python3 torch_sdpa.py --json torch.json
    python3 torch_sdpa.py --filter "x128 kv16x16384 bf16" --json torch.json
    python3 torch_sdpa.py --self-test --json shape.json     # needs no torch and no GPU: writes the file's format without times
"""

import argparse
import datetime
import gc
import json
import os
import sys
import time
import warnings

BACKENDS = ("flash", "cudnn", "efficient", "math")
FORMAT = "kernel times 1"
WARM_UPS = 3
FEWEST = 5
ENOUGH_MILLIS = 1500.0
MATH_SCORES = 1 << 31  # the math backend stores all scores; more than this number fill a GPU
COLUMNS = "group batch heads keyheads queries keys width causal types modes".split()


def rows(grid, scale):
    """The rows of the grid in its order, each a dictionary with its case string."""
    found = []
    with open(grid, encoding="utf-8") as lines:
        for line in lines:
            words = line.rstrip("\n").split("\t")
            if line.startswith("#") or words[0] == "group":
                continue
            if len(words) != len(COLUMNS):
                sys.exit(f"{grid}: expected {len(COLUMNS)} columns, got {line!r}")
            row = dict(zip(COLUMNS, words))
            for name in ("batch", "heads", "keyheads", "width"):
                row[name] = int(row[name])
            for name in ("queries", "keys"):
                row[name] = max(1, int(row[name]) // scale)
            row["causal"] = row["causal"] == "1"
            for kind in row["types"].split(","):
                for mode in row["modes"].split(","):
                    it = dict(row, type=kind.removesuffix("+tf32"), tf32=kind.endswith("+tf32"), mode=mode)
                    it["case"] = (
                        f"q{it['batch']}x{it['heads']}x{it['queries']}x{it['width']} kv{it['keyheads']}x{it['keys']} {it['type']}"
                        + (" mask=causal:br" if it["causal"] else "")
                        + (" tf32" if it["tf32"] else "")
                        + (" backward" if mode == "backward" else "")
                    )
                    found.append(it)
    return found


def flops(row):
    """The number of operations, counted as in the FlashAttention papers."""
    full = 4.0 * row["batch"] * row["heads"] * row["queries"] * row["keys"] * row["width"]
    return full * (0.5 if row["causal"] else 1) * (2.5 if row["mode"] == "backward" else 1)


def rate(row, millis):
    """TFLOP/s; for one query, GB/s of the keys and values read."""
    if row["queries"] == 1:
        size = 4 if row["type"] == "f32" else 2
        read = 2.0 * row["batch"] * row["keyheads"] * row["keys"] * row["width"] * size
        return {"gigabytesPerSecond": read / millis / 1e6}
    return {"teraflops": flops(row) / millis / 1e9}


def one_line(error):
    return " ".join(str(error).split())[:300]


def report(device, versions, scale, found):
    about = {"format": FORMAT, "program": "pytorch"}
    about["time"] = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return about | {"device": device, "scale": scale} | versions | {"rows": found}


def entry(row, backend):
    return {"case": row["case"], "contestant": "torch-" + backend, "group": row["group"]}


def median(values):
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


class Clock:
    """Times rows with torch on the current GPU."""

    def __init__(self, torch, repeats):
        from torch.nn.attention import SDPBackend, sdpa_kernel

        self.torch = torch
        self.repeats = repeats
        self.kernel = sdpa_kernel
        names = dict(flash="FLASH_ATTENTION", cudnn="CUDNN_ATTENTION", efficient="EFFICIENT_ATTENTION", math="MATH")
        self.backends = {ours: getattr(SDPBackend, theirs, None) for ours, theirs in names.items()}
        self.types = dict(f16=torch.float16, bf16=torch.bfloat16, f32=torch.float32)

    def millis(self, row, backend):
        """The times of single calls in milliseconds."""
        torch = self.torch
        chosen = self.backends[backend]
        if chosen is None:
            raise RuntimeError("this PyTorch has no such backend")
        scores = row["batch"] * row["heads"] * row["queries"] * row["keys"]
        if backend == "math" and scores > MATH_SCORES:
            raise RuntimeError(f"not tried: this backend stores all {scores} scores")
        torch.backends.cuda.matmul.allow_tf32 = row["tf32"]
        torch.backends.cudnn.allow_tf32 = row["tf32"]
        learns = row["mode"] == "backward"

        def draw(heads, length):
            shape = (row["batch"], heads, length, row["width"])
            return torch.randn(shape, device="cuda", dtype=self.types[row["type"]]).requires_grad_(learns)

        query = draw(row["heads"], row["queries"])
        key, value = draw(row["keyheads"], row["keys"]), draw(row["keyheads"], row["keys"])
        grouped = {"enable_gqa": True} if row["heads"] != row["keyheads"] else {}

        def forward():
            return torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=row["causal"], **grouped)

        with warnings.catch_warnings(record=True) as said, self.kernel([chosen]):
            warnings.simplefilter("always")
            try:
                call = forward
                if learns:
                    output = forward()
                    gradient = torch.randn_like(output)

                    def call():
                        return torch.autograd.grad(output, (query, key, value), gradient, retain_graph=True)

                for _ in range(WARM_UPS):
                    call()
                torch.cuda.synchronize()
                times = []
                while len(times) < self.repeats and (len(times) < FEWEST or sum(times) < ENOUGH_MILLIS):
                    begin = torch.cuda.Event(enable_timing=True)
                    end = torch.cuda.Event(enable_timing=True)
                    begin.record()
                    call()
                    end.record()
                    torch.cuda.synchronize()
                    times.append(begin.elapsed_time(end))
                return times
            except RuntimeError as error:
                reasons = "; ".join(one_line(warning.message) for warning in said)
                raise RuntimeError(one_line(error) + (": " + reasons if reasons else "")) from None


def measure(chosen, backends, repeats, scale, minutes, save):
    try:
        import torch
    except ImportError as error:
        sys.exit(f"torch_sdpa.py: PyTorch cannot be imported ({one_line(error)}). HINT: run it with the python3 that has torch")
    if not torch.cuda.is_available():
        sys.exit("torch_sdpa.py: PyTorch sees no CUDA GPU. HINT: nvidia-smi, and a PyTorch built for CUDA")
    properties = torch.cuda.get_device_properties(0)
    try:
        import subprocess

        ask = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        driver = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.splitlines()[0].strip()
    except (OSError, subprocess.CalledProcessError, IndexError):
        driver = "unknown"
    device = {"name": properties.name, "driver": driver, "computeUnits": properties.multi_processor_count}
    versions = {"torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    print(f"device     {device['name']}, driver {driver}, torch {torch.__version__}", flush=True)
    clock = Clock(torch, repeats)
    found = []
    start = time.monotonic()
    for row in chosen:
        if time.monotonic() - start > 60 * minutes:
            print(f"{minutes} minutes are over; the remaining rows (see --filter) begin with: {row['case']}", flush=True)
            break
        for backend in backends:
            it = entry(row, backend)
            try:
                times = clock.millis(row, backend)
                millis = median(times)
                it |= {"nanos": [round(1e6 * each) for each in times], "medianMillis": millis} | rate(row, millis)
                print(f"{row['case']:60} {backend:10} {millis:12.3f} ms", flush=True)
            except (RuntimeError, TypeError, ValueError) as error:  # also out of memory, or arguments that an old PyTorch lacks
                it["failure"] = one_line(error)
                print(f"{row['case']:60} {backend:10}            -  {it['failure'][:80]}", flush=True)
            gc.collect()
            torch.cuda.empty_cache()
            found.append(it)
        save(report(device, versions, scale, found))  # keeps the results if a later row fails


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--grid", default=os.path.join(here, "grid.tsv"), help="the file of rows (default: grid.tsv in this folder)")
    options.add_argument("--filter", default="", help="only rows whose group and case, joined by a space, contain this text")
    options.add_argument("--scale", metavar="N", type=int, default=1, help="divide all lengths by N, for a trial run (default 1)")
    options.add_argument("--repeats", metavar="N", type=int, default=30, help="maximum timed calls per row (default 30)")
    options.add_argument("--minutes", metavar="N", type=float, default=float("inf"), help="start no further row after N minutes (default: no limit)")
    options.add_argument("--backends", default=",".join(BACKENDS), help="some of " + ", ".join(BACKENDS))
    options.add_argument("--json", metavar="FILE", help="the file for the times")
    options.add_argument("--self-test", action="store_true", help="without torch: write the format of the file without times")
    given = options.parse_args()
    backends = given.backends.split(",")
    if not set(backends) <= set(BACKENDS) or given.scale < 1 or given.repeats < 1:
        options.error("--backends are some of " + ", ".join(BACKENDS) + "; --scale and --repeats are 1 or more")
    try:
        chosen = [row for row in rows(given.grid, given.scale) if given.filter in row["group"] + " " + row["case"]]
    except OSError as error:
        sys.exit(f"torch_sdpa.py: the grid cannot be read: {error}. HINT: --grid FILE")
    if not chosen:
        options.error("no row of the grid contains " + repr(given.filter))

    def save(result):
        if given.json:
            with open(given.json, "w", encoding="utf-8") as out:
                json.dump(result, out, indent=1)
                out.write("\n")

    if given.self_test:
        nothing = [entry(row, backend) | {"failure": "self-test: not measured"} for row in chosen for backend in backends]
        result = report({"name": "none", "driver": "none"}, {"torch": "none"}, given.scale, nothing)
        save(result)
        if not given.json:
            json.dump(result, sys.stdout, indent=1)
    else:
        measure(chosen, backends, given.repeats, given.scale, given.minutes, save)


if __name__ == "__main__":
    main()
