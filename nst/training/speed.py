"""How fast training is, in photos per second, beside the plain loop that one would write first.

The plain loop opens, decodes and scales its photos in each step, runs network and VGG in fp32, in
PyTorch's own layers and usual memory layout, takes the photo through as much of VGG as the picture,
and keeps VGG's weights as `nn.Module` gives them, with gradients.  Both see the same photos,
minimise terms of the same definition, and are measured in turn, step by step, so that a busy
machine slows both.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import trange

from nst.loss import LossTerms, PerceptualLoss, gram_matrix, relative_error
from nst.models import build_model, normalise
from nst.training.data import PhotoSet, batch_indices
from nst.training.objective import Objective
from nst.training.processes import World
from nst.training.run import Run
from nst.training.settings import Settings
from nst.training.step import Batch, prepare_batch

TrainStep = Callable[[Sequence[Run], Batch, Objective, World], object]

WARM_UP = 2  # steps
STEPS = 10


class PlainLoop:
    """One network in the plain loop, training for itself."""

    def __init__(
        self, variant: str, photos: PhotoSet, loss: PerceptualLoss, settings: Settings
    ) -> None:
        self.photos, self.settings = photos, settings
        self.loss = copy.deepcopy(loss)
        self.vgg = self.loss.vgg.requires_grad_(True).to(memory_format=torch.contiguous_format)
        self.model = build_model(variant).to(photos.pixels.device)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=settings.learning_rate)

    def step(self, indices: Sequence[int]) -> LossTerms:
        """Decode a batch and make one Adam step."""
        fresh = PhotoSet(
            [self.photos.photos[index] for index in indices],
            self.settings.photo_side,
            self.photos.pixels.device,
        )
        batch = fresh.batch(range(len(indices)))
        terms = self.terms(self.model(batch), batch)
        self.optimizer.zero_grad()
        terms.total.backward()
        self.optimizer.step()
        return terms

    def terms(self, pictures: Tensor, photos: Tensor) -> LossTerms:
        """What `PerceptualLoss` gives for whole pictures, without its economies."""
        settings = self.loss.settings
        content = style = pictures.new_zeros(())
        for scale, names in {1: [], **self.loss.scales}.items():
            wanted = [*names, settings.content_layer] if scale == 1 else names
            of_pictures, of_photos = (
                self._features(F.avg_pool2d(pixels, scale), wanted) for pixels in (pictures, photos)
            )
            if scale == 1:
                layer = settings.content_layer
                content = relative_error(of_pictures[layer], of_photos[layer].detach())
            for name in names:
                target = self.loss.style_target(name, scale)
                style = style + relative_error(gram_matrix(of_pictures[name]), target)
        return self.loss.weighted(content, style, pictures)

    def _features(self, pixels: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
        activations, x = {}, normalise(pixels)
        names_at = {self.vgg.positions[name]: name for name in names}
        for position, layer in enumerate(self.vgg.layers):
            x = layer(x)
            if position in names_at:
                activations[names_at[position]] = x
        return activations


def compare_speed(
    train_step: TrainStep,
    runs: Sequence[Run],
    photos: PhotoSet,
    objective: Objective,
    settings: Settings,
    steps: int = STEPS,
) -> str:
    """Photos per second of the runs' networks together, ours and the plain loop's, as text.

    A photo counts once for each network that is trained on it.  The runs' weights change; nothing
    is saved.
    """
    world = runs[0].world
    plain = [PlainLoop(run.variant, photos, objective.loss, settings) for run in runs]

    def ours(step: int, indices: Sequence[int]) -> None:
        batch = prepare_batch(step, photos, objective, settings, world)
        train_step(runs, batch, objective, world)

    def plainly(step: int, indices: Sequence[int]) -> None:
        for loop in plain:
            loop.step(indices)

    loops: dict[str, Callable[[int, Sequence[int]], None]] = {"ours": ours, "plain": plainly}
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for step in trange(WARM_UP + steps, unit="step"):
        indices = batch_indices(len(photos), settings.batch_size, settings.seed, step)
        for name, loop in loops.items():
            started = time.perf_counter()
            loop(step, indices)
            if str(photos.pixels.device).startswith("cuda"):
                torch.cuda.synchronize()
            if step >= WARM_UP:
                seconds[name].append(time.perf_counter() - started)

    count = settings.batch_size * len(runs)
    lines = [f"{', '.join(run.variant for run in runs)}; batches of {settings.batch_size}"]
    for name, values in seconds.items():
        slow, middle, fast = (
            count / value for value in reversed(statistics.quantiles(values, n=4))
        )
        lines.append(f"{name:6} {middle:6.2f} photos/s  (quartiles {slow:.2f}–{fast:.2f})")
    ratio = statistics.median(p / o for p, o in zip(seconds["plain"], seconds["ours"], strict=True))
    window = f", loss on {settings.loss_window}² windows" if settings.loss_window else ""
    circumstances = runs[0].circumstances
    compiled = ", compiled" if circumstances["compiled"] else ""
    how = f"{circumstances['precision']}{compiled}{window}"
    lines.append(f"ours ({how}) is {ratio:.2f} times as fast, the median of {steps} pairs of steps")
    return "\n".join(lines)
