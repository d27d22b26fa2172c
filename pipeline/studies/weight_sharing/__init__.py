"""What does it buy to share weights: over places of a picture, and over steps of time?

A filter that is the same everywhere has few parameters, whatever the size of what it looks at, and
what it learned at one place it knows at all. The same units with a filter of their own each, or
with a weight for every pixel, can do all that and more, but have to learn it.

Expected:
    1. Counts: a layer of W·H units on X·Y pixels has W·H·X·Y weights, with one shared filter F·F; a
       million units on 1000×1000 pixels 10^12, a hundred filters of 10×10 10^4. LeNet-5 has 60,000
       parameters and 340,908 connections, AlexNet 60,965,224 parameters in two groups and
       62,378,344 in one, TDNN and recurrent network as many whatever the length.
    2. Places: what shared filters see moves with the picture, exactly; that of local filters and of
       a dense layer does not. Trained on digits, the shared form is wrong least often with few
       pictures and with all of them, and less often than the dense one on pictures that are moved.
    3. Time: a recurrent network is wrong less often than the same network with weights of each
       step's own where pictures are few.

References:
    LeCun (1989), Generalization and network design strategies, CRG-TR-89-4, University of Toronto.
    Waibel, Hanazawa, Hinton, Shikano & Lang (1989), Phoneme recognition using time-delay neural
        networks, IEEE Transactions on Acoustics, Speech, and Signal Processing 37(3).
    LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document
        recognition, Proceedings of the IEEE 86(11).
    Krizhevsky, Sutskever & Hinton (2012), ImageNet classification with deep convolutional neural
        networks, NeurIPS.
"""

from pipeline.studies.weight_sharing.counts import PART as COUNTS
from pipeline.studies.weight_sharing.equivariance import PART as EQUIVARIANCE
from pipeline.studies.weight_sharing.places import PART as PLACES
from pipeline.studies.weight_sharing.time import PART as TIME
from pipeline.study import join

STUDY = join(__doc__, counts=COUNTS, equivariance=EQUIVARIANCE, places=PLACES, time=TIME)
