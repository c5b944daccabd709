"""Tables and rankings of the leaderboard from the scores of its cells. Three rankings, never one."""

import torch
from torch import Tensor

from . import reconstruction
from .methods import METHODS, levels
from .reconstruction import round_all


def interval(values: Tensor) -> list[float]:
    """Mean with the ends of its 95 % bootstrap interval over slices."""
    return list(reconstruction.interval(values, 3).values())


def detectability(ill: Tensor, well: Tensor) -> Tensor:
    """d' of an observer who compares the two responses: difference of means over the pooled spread."""
    return (ill.mean() - well.mean()) / ((ill.var() + well.var()) / 2).sqrt()


def d_prime(scores: dict[str, Tensor]) -> list[float]:
    """d' with its 95 % bootstrap interval over slices."""
    ill, well = scores["signal_ill"], scores["signal_well"]
    pick = torch.randint(len(ill), (2000, len(ill)), generator=torch.Generator().manual_seed(0))
    drawn = torch.stack([detectability(ill[i], well[i]) for i in pick])
    ends = drawn.quantile(torch.tensor([0.025, 0.975]))
    return [round(float(v), 3) for v in (detectability(ill, well), *ends)]


def row(name: str, steps: int, cell: dict, samples: int) -> dict:
    """One line of the table."""
    scores, setting = cell["scores"], cell["setting"]
    found = {
        "setting": setting,
        "tried": [round(v, 2) for v in cell["tried"]],
        "psnr": interval(scores["psnr"]),
        "psnr_of_each": round_all(scores["psnr"], 2),
        "psnr_one": round(float(scores["psnr_one"].mean()), 2),
        "ssim": round(float(scores["ssim"].mean()), 4),
        "chi_square": round(float(scores["chi_square"].mean()), 3),
        "seconds": round(float(scores["seconds"]), 4),
    }
    if name in METHODS:
        method = METHODS[name]
        n = levels(method, setting, steps)
        runs = 1 if method.point else samples
        found["calls"] = runs * n * method.calls(setting)
        found["gradients"] = runs * n * method.gradients(setting)
    if "energy" in scores:
        found["energy"] = interval(scores["energy"])
        found["energy_of_each"] = round_all(scores["energy"], 3)
        found["R"] = round(float(scores["error_of_one"].sum() / scores["spread"].sum()), 3)
        found["covered"] = round(float(scores["covered"].mean()), 3)
    if "signal_ill" in scores:
        found["d_prime"] = d_prime(scores)
    return found


def finite(values: list[float]) -> bool:
    return all(v == v and abs(v) < 1e6 for v in values)


def ranking(rows: dict[str, dict], key: str, higher: bool) -> list[dict]:
    """Methods from best to worst by `key`, each with the paired interval of what it lacks to the best.

    A method whose interval reaches 0 is tied with the best.
    """
    each = {n: torch.tensor(r[f"{key}_of_each"]) for n, r in rows.items() if f"{key}_of_each" in r}
    each = {n: v for n, v in each.items() if finite(v.tolist())}
    order = sorted(each, key=lambda n: float(each[n].mean()), reverse=higher)
    table = []
    for name in order:
        gap = interval((each[order[0]] - each[name]) * (1 if higher else -1))
        table.append({"method": name, "behind": gap, "tied": name == order[0] or gap[1] <= 0})
    return table


def rankings(rows: dict[str, dict]) -> dict[str, list]:
    """Point estimate (mean of the samples), distribution (energy score), task (d' of a lesion)."""
    found = {"point": ranking(rows, "psnr", True), "distribution": ranking(rows, "energy", False)}
    seen = {n: r["d_prime"] for n, r in rows.items() if "d_prime" in r and finite(r["d_prime"])}
    order = sorted(seen, key=lambda n: seen[n][0], reverse=True)
    found["task"] = [
        {"method": n, "d_prime": seen[n], "tied": seen[n][2] >= seen[order[0]][0]} for n in order
    ]
    return found


def quick_ones(full: dict[str, dict], short: dict[str, dict], margin: float = 0.3) -> list[dict]:
    """Methods that come within `margin` dB of the best at 100 calls with a fifth of its calls or fewer."""
    order = ranking(full, "psnr", True)
    samplers = [entry["method"] for entry in order if "calls" in full[entry["method"]]]
    if not samplers:
        return []
    best = full[samplers[0]]
    found = []
    for name, one in (*full.items(), *short.items()):
        gap = best["psnr"][0] - one["psnr"][0]
        if one.get("calls", best["calls"]) * 5 <= best["calls"] and gap <= margin:
            found.append({"method": name, "calls": one["calls"], "behind": round(gap, 3)})
    return sorted(found, key=lambda entry: entry["behind"])
