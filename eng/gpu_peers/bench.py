"""How a rival is timed, and the file its figures go to."""
import datetime
import json
import sys
import time
from pathlib import Path

# Where the archive has COMMIT.
TOP = Path(__file__).resolve().parents[1]


class Figures:
    """The file that all parts of a run write to; as Benchmarks/FiguresFile.cs has it."""

    def __init__(self, path):
        self.path = path
        if path and path.exists():
            self.root = json.loads(path.read_text())
        else:
            commit = TOP / "COMMIT"
            self.root = {
                "format": 1,
                "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
                "commit": commit.read_text().strip() if commit.exists() else "unknown",
            }

    def record(self, section, facts):
        self.root.setdefault(section, {}).update(facts)
        self.save()

    def add(self, figure):
        key = lambda f: tuple(f.get(k) for k in ("by", "case", "dtype", "mode"))
        self.root["failures"] = [f for f in self.root.get("failures", []) if (f["by"], f["case"]) != (figure["by"], name_of_figure(figure))]
        figures = self.root.setdefault("figures", [])
        figures[:] = [f for f in figures if key(f) != key(figure)] + [figure]
        self.save()

    def fail(self, by, case, reason):
        failures = self.root.setdefault("failures", [])
        failures[:] = [f for f in failures if (f["by"], f["case"]) != (by, case)] + [{"by": by, "case": case, "reason": reason}]
        self.save()

    def save(self):
        if self.path:
            written = self.path.with_name(self.path.name + ".tmp")
            written.write_text(json.dumps(self.root, indent=2, ensure_ascii=False) + "\n")
            written.replace(self.path)


class Bench:
    """Times calls by the GPU's own clock, each sample between two copies of as many bytes as the case must move."""

    def __init__(self, torch, options):
        self.torch, self.smoke, self.only = torch, options.smoke, options.only.lower()
        self.cuda = torch.cuda.is_available()
        self.device = torch.device("cuda" if self.cuda else "cpu")
        self.end = time.monotonic() + options.seconds
        self.figures = Figures(options.json)
        self.rounds = 2 if self.smoke else 7
        self.copies = {}
        torch.manual_seed(1)

    def describe(self):
        torch = self.torch
        facts = {"version": torch.__version__, "cuda": torch.version.cuda or "none", "python": sys.version.split()[0]}
        if self.cuda:
            facts["gpu"] = torch.cuda.get_device_name()
            facts["cudnn"] = torch.backends.cudnn.version()
        try:
            import triton
            facts["triton"] = triton.__version__
        except ImportError:
            pass
        print(", ".join(f"{key} {value}" for key, value in facts.items()))
        self.figures.record("torch", facts)

    def normal(self, *shape, dtype, scale=1.0, grad=False):
        x = self.torch.randn(*shape, device=self.device, dtype=self.torch.float32)
        return x.mul_(scale).to(dtype).requires_grad_(grad)

    def tokens(self, *shape, vocabulary):
        return self.torch.randint(4, vocabulary, shape, device=self.device)

    def synchronize(self):
        if self.cuda:
            self.torch.cuda.synchronize()

    def seconds(self, call, repetitions=1):
        if not self.cuda:
            start = time.perf_counter()
            for _ in range(repetitions):
                call()
            return (time.perf_counter() - start) / repetitions
        start, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(repetitions):
            call()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / 1e3 / repetitions

    def copy(self, nbytes):
        """Seconds of a copy that reads and writes so many bytes together."""
        half = max(256, int(nbytes / 2) // 256 * 256)
        if half not in self.copies:
            self.copies.clear()
            source = self.torch.randint(-100, 100, (half,), device=self.device, dtype=self.torch.int8)
            self.copies[half] = (source, self.torch.empty_like(source))
        source, target = self.copies[half]
        return self.seconds(lambda: target.copy_(source))

    def skips(self, case):
        return self.only not in case.lower()

    def case(self, by, case, dtype, prepare, nbytes):
        """prepare() gives the call to time; its tensors are dropped afterwards."""
        if self.skips(case):
            return
        if time.monotonic() > self.end:
            return self.fail(by, case, "the time was up", dtype)
        try:
            call = prepare()
            for _ in range(3):
                call()
            once = min(self.seconds(call) for _ in range(2))
            repetitions = 1 if self.smoke else max(1, min(1000, int(0.005 / max(once, 1e-9))))
            times, copies = [], []
            for _ in range(self.rounds):
                before = self.copy(nbytes)
                times.append(self.seconds(call, repetitions))
                copies.append((before + self.copy(nbytes)) / 2)
            seconds, low, high = spread(times)
            copied = spread(copies)[0]
            print(f"{by:15} {name_of(dtype):9} {case:60} {seconds * 1e6:12.1f} us  {copied / seconds:6.1%} of a copy", flush=True)
            self.figures.add({
                "by": by, "case": case, "dtype": name_of(dtype), "seconds": seconds, "low": low, "high": high, "rounds": self.rounds,
                "value": nbytes / seconds / 1e9, "unit": "GB/s", "copy_seconds": copied,
            })
        except Exception as e:
            self.fail(by, case, f"{type(e).__name__}: {e}", dtype)
        finally:
            call = None
            if self.cuda:
                self.torch.cuda.empty_cache()

    def fail(self, by, case, reason, dtype=None, mode=None):
        reason = " ".join(reason.split())[:300]
        name = name_of_figure({"case": case, "dtype": dtype and name_of(dtype), "mode": mode})
        print(f"{by:15} {name:70} not measured: {reason}", flush=True)
        self.figures.fail(by, name, reason)


def name_of_figure(figure):
    return " ".join(figure[k] for k in ("case", "dtype", "mode") if figure.get(k))


def name_of(dtype):
    return str(dtype).removeprefix("torch.")


def size_of(torch, dtype):
    return torch.finfo(dtype).bits // 8


def spread(values):
    s = sorted(values)
    return s[len(s) // 2], s[len(s) // 10], s[-1 - len(s) // 10]


def adamw(bench, parameters):
    return bench.torch.optim.AdamW(parameters, lr=1e-4, betas=(0.9, 0.98), **({"fused": True} if bench.cuda else {}))
