"""What does a network make of a sequence: one class, a label a step, another sequence?

A recurrent network turns a sentence into states, one a word. A class is told from the last of them,
from their mean or from their maximum; a tag from each. What each of these readouts sends back is
where the network learns from, and what counting reaches stands beside every figure. An encoder–
decoder says another sequence, of another length, from the last state alone; with attention it looks
at all of them at each word that it says. Trained on what comes before each word of a target, it is
asked to say the whole of it alone.

Expected:
    1. From the last state of an LSTM at least 97.5 % of SNIPS's intents are told right, and 86 % of
       Banking77's kinds of questions; with characters 88 % of these.
    2. A linear classifier of counted words and characters is right more often than any network
       here: some 98.6 and 91.2 %.
    3. On sentences this short, mean and maximum are not right more often than the last state by
       half a percent. (Stated after a look at single runs.)
    4. As drawn, the last state sends to a word ten before the end less than a tenth of the error
       that it sends to the last word; mean and maximum send more than a half.
    5. Trained, it still sends less than they do.
    6. Of English words' universal tags an SRN that reads forwards has at least 89 % right, an LSTM
       both ways 91.5 %, and with the characters of each word 94.6 %.
    7. All of them have more right than the most frequent tag of a word, by ending where the word is
       not known: some 88 %.
    8. Of unknown words characters have ten percent more right at least, and more than of known
       ones.
    9. Of strings of up to ten symbols encoder–decoders copy and reverse 99 % of the symbols,
       free-running, without attention as with it.
    10. So does a dictionary, symbol by symbol, at any length, where order stays: copied strings are
       all right, of reversed ones hardly any.
    11. Without attention accuracy falls with length: half of it is gone at thirty symbols.
    12. Beyond the lengths of training a decoder that hears itself is right less often than one that
       is fed the target, which tells how much of an accuracy the teacher owns.
    13. Without attention the decoder sends error to the last state of the encoder alone, exactly;
       with it to every state at once.
    14. As drawn, ten times as much of the last symbol's error comes to the first with attention.
    15. From English into Spanish attention scores at least 25 BLEU.
    16. At twelve words and more it scores 1.2 times as much as without, and without it more is lost
       from sentences of four to seven words to these.
    17. Both networks score above counting: a dictionary, word by word, and the nearest sentence.
    18. Targets that training never has score as all do, to one BLEU: the parts share no sentence.

References:
    Coucke et al. (2018), Snips Voice Platform, arXiv:1805.10190.
    Casanueva, Temčinas, Gerz, Henderson & Vulić (2020), Efficient intent detection with dual
        sentence encoders, 2nd Workshop on NLP for ConvAI, arXiv:2003.04807.
    Silveira et al. (2014), A gold standard dependency corpus for English, LREC.
    Plank, Søgaard & Goldberg (2016), Multilingual part-of-speech tagging with bidirectional long
        short-term memory models and auxiliary loss, ACL.
    Sutskever, Vinyals & Le (2014), Sequence to sequence learning with neural networks, NeurIPS.
    Bahdanau, Cho & Bengio (2015), Neural machine translation by jointly learning to align and
        translate, ICLR, arXiv:1409.0473.
    Luong, Pham & Manning (2015), Effective approaches to attention-based neural machine
        translation, EMNLP.
    Post (2018), A call for clarity in reporting BLEU scores, WMT: sacreBLEU.
    Popović (2015), chrF: character n-gram F-score for automatic MT evaluation, WMT.
"""

import pandas as pd

from pipeline.studies.sequence_modes import classes, tagging, transduction, translation
from pipeline.study import join, rows_of


def answer(rows: pd.DataFrame) -> str:
    """Say what each way of reading a sentence comes to, part by part."""
    says = {
        "classes": classes.sentence,
        "tagging": tagging.sentence,
        "transduction": transduction.sentence,
        "translation": translation.sentence,
    }
    there = [part for part in says if (rows["part"] == part).any()]
    return " ".join(filter(None, (says[part](rows_of(rows, part)) for part in there)))


STUDY = join(
    __doc__,
    answer,
    "sequences and text",
    classes=classes.PART,
    tagging=tagging.PART,
    transduction=transduction.PART,
    translation=translation.PART,
)
