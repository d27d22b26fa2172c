"""Can it be asked for a digit, and how well does it read digits by the same weights?

A stack whose topmost RBM has the classes among what it sees learns greedily, then by up-down. Both
times it is asked for digits: the class is held while the top is sampled, and one pass leads down
to the pixels. A judge that learned from other digits says what they are. Beside it stand digits
whose pixels are drawn independently of each other, each as often on as in its class: what class
and place alone say, without a network.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import PositiveFloat

from lightning_modules.energies.estimators import ESTIMATORS
from lightning_modules.networks import NETWORKS
from pipeline.measuring.classifying import in_percent
from pipeline.studies.deep_belief.stacking import Stacked
from pipeline.study import Count, Given, Options, Rows, named
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from torch import Tensor

    from pipeline.data.sets._base import PictureSet
    from pipeline.measuring.recognition import Judge

GREEDY, TUNED, INDEPENDENT = "greedy", "up-down", "independent pixels"
"""The stages at which it is asked, and what stands beside them."""
SIDE, FILTERS = 10, 30
"""Pictures of a class that are shown, and filters of the lowest layer."""


class Generation(Stacked):
    """A deep belief network, and who judges its digits; ``steps`` are those of up-down."""

    top: Annotated[str, named(ESTIMATORS)]
    """What the topmost RBM learns by, greedily and in up-down."""
    top_sweeps: Count
    """Its k."""
    asked: Count
    """Digits of each class."""
    gibbs: Count
    """Sweeps of the top while the class is held."""
    judge: Annotated[str, named(NETWORKS)]
    judge_options: Options | None = None
    judge_size: Count
    """Rows and columns that it sees."""
    judge_rate: PositiveFloat
    judge_steps: Count
    judge_batch: Count

    def measure(self, given: Given) -> Rows:
        """Return how it reads digits and what is taken for what it was asked for, and pictures."""
        from lightning_modules.energies.dbn import DBN
        from lightning_modules.training.energy import EnergyLearner

        (images,) = self.read(given)
        source = TASKS[self.task](images, self.seed, self.batch_size, self.held_out_size)
        facts = {"pictures": len(images.train_y_N)}
        judge = self._judge(images, source, given)
        yield {"record": "judge", "accuracy": judge.accuracy, **facts}
        top = ESTIMATORS[self.top](sweeps=self.top_sweeps)
        rbms = self.stack(source, given, images.classes, top)
        yield from _filters(rbms[0], source.shape_CYX)
        learner = EnergyLearner(
            DBN(rbms), source.loss, self.optimizer, self.learning_rate, anneal=True
        )
        learner.begin(source)
        learner.moved = learner.weights()
        yield from self._asked(GREEDY, learner, source, images, judge)
        own = given._replace(scratch=given.scratch / TUNED)
        for row in self.fit(learner, source, own):
            wrong = in_percent(row["held_out_accuracy"])
            yield {"record": "curve", **row, "wrong": wrong}
        yield from self._asked(TUNED, learner, source, images, judge)
        yield from self._independent(images, source, judge)

    def _judge(self, images: "PictureSet", source: Any, given: Given) -> "Judge":
        """Return a network that learned from the digits that are held out."""
        import dataclasses

        import torch

        from pipeline.measuring.recognition import Reading

        x_NI, y_N = (torch.cat([of[i][0] for of in source.held_out()]) for i in (0, 1))
        x_NHW = (255 * x_NI).round().to(torch.uint8).view(-1, *source.shape_CYX[1:])
        others = dataclasses.replace(images, train_x_NHW=x_NHW, train_y_N=y_N)
        held_out = max(1, len(y_N) // 10)
        reading = Reading(
            self.judge,
            self.judge_options or {},
            self.judge_rate,
            self.judge_batch,
            self.judge_steps,
            held_out,
            self.judge_size,
        )
        return reading.learned(others, self.seed, given, "judge")

    def _asked(
        self, stage: str, learner: Any, source: Any, images: "PictureSet", judge: "Judge"
    ) -> Iterator[dict[str, Any]]:
        """Iterate over what it has wrong and what was made of what was asked for."""
        import torch

        torch.manual_seed(self.seed)
        wrong = in_percent(learner.evaluate(source.test()).accuracy)
        yield {"record": "test", "stage": stage, "wrong": wrong}
        y_N = torch.arange(source.output_size).repeat_interleave(self.asked)
        x_NI = learner.energy.cpu().generated(y_N, self.gibbs)
        yield from self._judged(stage, x_NI, y_N, images, judge)

    def _independent(
        self, images: "PictureSet", source: Any, judge: "Judge"
    ) -> Iterator[dict[str, Any]]:
        """Iterate over the same of pixels that are drawn independently."""
        import torch
        from sklearn.naive_bayes import BernoulliNB

        from pipeline.measuring.recognition import pixels

        x_NI, known_N = pixels(images.train_x_NHW, None), images.train_y_N
        model = BernoulliNB(binarize=0.5).fit(x_NI.numpy(), known_N.numpy())
        seen = [(batch.x_TBI[0], batch.y_TB[0]) for batch in source.test()]
        right = [float(model.score(x_BI.numpy(), y_B.numpy())) * len(y_B) for x_BI, y_B in seen]
        share = sum(right) / sum(len(y_B) for _, y_B in seen)
        yield {"record": "test", "stage": INDEPENDENT, "wrong": in_percent(share)}
        y_N = torch.arange(source.output_size).repeat_interleave(self.asked)
        means_KI = torch.stack([x_NI[known_N == k].mean(dim=0) for k in range(images.classes)])
        drawn = torch.Generator().manual_seed(self.seed)
        made_NI = torch.bernoulli(means_KI[y_N], generator=drawn)
        yield from self._judged(INDEPENDENT, made_NI, y_N, images, judge)

    def _judged(
        self, stage: str, x_NI: "Tensor", y_N: "Tensor", images: "PictureSet", judge: "Judge"
    ) -> Iterator[dict[str, Any]]:
        """Iterate over what the judge takes pictures for, class by class, and some of them."""
        import torch

        from pipeline.measuring.pictures import packed
        from pipeline.measuring.recognition import pixels, recognised, variety

        Y, X = images.train_x_NHW.shape[1:]
        x_NHW = (255 * x_NI).round().to(torch.uint8).view(-1, Y, X)
        seen_NI = pixels(x_NHW, self.judge_size)
        of_class = recognised(judge, seen_NI, y_N, images.classes).tolist()
        real_NI = pixels(images.train_x_NHW, None)
        for digit, share in enumerate(of_class):
            spread = variety(x_NI, y_N, real_NI, images.train_y_N, digit)
            yield {
                "record": "asked",
                "stage": stage,
                "digit": digit,
                "recognised": share,
                "variety": spread,
            }
            for place, x_YX in enumerate(x_NI[y_N == digit][:SIDE].view(-1, Y, X)):
                text = packed(x_YX.numpy())
                yield {
                    "record": "picture",
                    "stage": stage,
                    "digit": digit,
                    "place": place,
                    "pixels": text,
                }


def _filters(rbm: Any, shape_CYX: tuple[int, int, int]) -> Iterator[dict[str, Any]]:
    """Iterate over the largest filters of the lowest layer as pictures, 0 being grey."""
    from lightning_modules.norms import norm
    from pipeline.measuring.pictures import packed

    W_VH = rbm.W.detach()
    for place, unit in enumerate(norm(W_VH, dim=0).argsort(descending=True)[:FILTERS].tolist()):
        w_YX = W_VH[:, unit].view(shape_CYX[1:])
        text = packed((0.5 + w_YX / (2 * w_YX.abs().max())).numpy())
        yield {"record": "filter", "digit": place // SIDE, "place": place % SIDE, "pixels": text}
