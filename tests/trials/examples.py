"""A small file of each format."""

import pickle

PAIRS = (("id10270/x6uYqmx31kE/00002.wav", "id10270/GWXujl-xAVM/00035.wav"),
         ("id10270/x6uYqmx31kE/00002.wav", "id10300/ize_eiCFEg0/00003.wav"),
         ("id10300/ize_eiCFEg0/00003.wav", "id10300/xVMm5GcxO7w/00001.wav"))  # fmt: skip
LABELS, SCORES = (1, 0, 1), (0.7312, -0.25, 0.5)
_ROWS = list(zip(PAIRS, LABELS, SCORES, strict=True))
_TARGET = {1: "target", 0: "nontarget"}


def _lines(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


VOXCELEB = _lines(*(f"{label} {a} {b}" for (a, b), label, _ in _ROWS))
VOXSRC = _lines("0.007 034374.wav 053313.wav", "-1.5 000001.wav 000002.wav", "0.93 000001.wav 053313.wav")
KALDI_TRIALS = _lines(*(f"{a} {b} {_TARGET[label]}" for (a, b), label, _ in _ROWS))
KALDI_SCORES = _lines(*(f"{a} {b} {score}" for (a, b), _, score in _ROWS))
KALDI_EER = _lines(*(f"{score} {_TARGET[label]}" for _, label, score in _ROWS))
VOICES = _lines("model1 sid_dev/sp3521/a.wav tgt", "model1 sid_dev/sp3521/b.wav imp", "model2 sid_dev/sp0001/a.wav imp")
WESPEAKER = _lines(*(f"{a} {b} {score:.5f} {_TARGET[label]}" for (a, b), label, score in _ROWS))
WESPEAKER_NORMALISED = _lines(
    *(f"{a} {b} {score:.5f} {_TARGET[label]} 1.0000 1.0000 0.1234 0.2345" for (a, b), label, score in _ROWS)
)
SPEECHBRAIN = _lines(*(f"{a} {b} {label} {score:f}" for (a, b), label, score in _ROWS))
NIST_TRIALS = _lines("modelid\tsegmentid\tside", "1001_sre16\tabcd_sre16.sph\ta", "1002_sre16\tabcd_sre16.sph\ta")
NIST_KEY = _lines("modelid\tsegmentid\tside\ttargettype\tgender\tnum_enroll_segs",
                  "1001_sre16\tabcd_sre16.sph\ta\ttarget\tfemale\t3",
                  "1002_sre16\tabcd_sre16.sph\ta\tnontarget\tfemale\t1")  # fmt: skip
NIST_OUTPUT = _lines("modelid\tsegmentid\tside\tLLR", "1001_sre16\tabcd_sre16.sph\ta\t-2.31",
                     "1002_sre16\tabcd_sre16.sph\ta\t4.5")  # fmt: skip
NIST_FACES = _lines("imageid\tsegmentid", "face1.jpg\tclip1.mp4", "face2.jpg\tclip1.mp4")
BOB4 = _lines("ann ann ann/1.png 0.9", "bob ann ann/1.png -0.4", "bob bob bob/1.png 0.8")
BOB5 = _lines("ann model_a ann ann/1.png 0.9", "bob model_b ann ann/1.png -0.4", "bob model_b bob bob/1.png 0.8")
TREC_RUN = _lines("q1 Q0 d7 1 0.9 run", "q1 Q0 d5 2 0.9 run", "q2 Q0 d5 1 0.25 run")
TREC_QRELS = _lines("q1 0 d7 1", "q1 0 d5 0", "q2 0 d5 2")
FAME_LIST = _lines("ysuvkz41 voices/English/00000.wav faces/English/00000.jpg",
                   "tog3zj45 voices/English/00001.wav faces/English/00001.jpg",
                   "ky5xfj1d voices/English/00002.wav faces/English/00002.jpg")  # fmt: skip
FAME_SCORES = _lines("ysuvkz41 0.9988", "tog3zj45 0.1146", "ky5xfj1d 1.5321")
FAME_KEY = _lines("ysuvkz41 0", "tog3zj45 1", "ky5xfj1d 0")

PEOPLE = ("Ann", "Bob", "Cem")
VFAL_PAIRS = {"wav_set": {"a/1.wav", "b/1.wav"}, "jpg_set": {"a/1.jpg"},
              "list": [["a/1.wav", "a/1.jpg", 1], ["b/1.wav", "a/1.jpg", 0]], "script": "print()"}  # fmt: skip
VFAL_MATCHING = {"wav_set": {"a/1.wav", "b/1.wav"}, "jpg_set": {"a/1.jpg", "b/1.jpg"},
                 "match_list": [("Ann", "a/1.wav", "a/1.jpg", "Bob", "b/1.wav", "b/1.jpg"),
                                ("Bob", "b/1.wav", "b/1.jpg", "Ann", "a/1.wav", "a/1.jpg")]}  # fmt: skip
VFAL_MATCHING_3 = {"match_list": [[["a/1.wav", "b/1.wav", "c/1.wav"], ["a/1.jpg", "b/1.jpg", "c/1.jpg"]],
                                  [["c/1.wav", "b/1.wav", "a/1.wav"], ["c/1.jpg", "b/1.jpg", "a/1.jpg"]]]}  # fmt: skip
VFAL_RETRIEVAL = {"retrieval_lists": [[("a/1.wav", "a/1.jpg", "Ann"), ("a/2.wav", "a/2.jpg", "Ann"),
                                       ("b/1.wav", "b/1.jpg", "Bob")]]}  # fmt: skip

EXAMPLES: dict[str, tuple[str, str, bytes]] = {
    "voxceleb": ("voxceleb", "veri_test2.txt", VOXCELEB),
    "voxsrc": ("voxsrc", "scores.txt", VOXSRC),
    "kaldi-trials": ("kaldi", "trials", KALDI_TRIALS),
    "kaldi-scores": ("kaldi", "scores", KALDI_SCORES),
    "kaldi-eer": ("kaldi", "eer_input", KALDI_EER),
    "voices": ("voices", "keys.txt", VOICES),
    "wespeaker": ("wespeaker", "vox1_O_cleaned.kaldi.score", WESPEAKER),
    "wespeaker-normalised": ("wespeaker", "vox1_O_cleaned.score", WESPEAKER_NORMALISED),
    "speechbrain": ("speechbrain", "scores.txt", SPEECHBRAIN),
    "nist-trials": ("nist", "sre16_eval_trials.tsv", NIST_TRIALS),
    "nist-key": ("nist", "sre16_eval_trial_key.tsv", NIST_KEY),
    "nist-output": ("nist", "output.tsv", NIST_OUTPUT),
    "nist-faces": ("nist", "trials.tsv", NIST_FACES),
    "bob4": ("bob4", "scores-dev", BOB4),
    "bob5": ("bob5", "scores-dev", BOB5),
    "trec-run": ("trec-run", "run.txt", TREC_RUN),
    "trec-qrels": ("trec-qrels", "qrels.txt", TREC_QRELS),
    "fame-list": ("fame-list", "English_test.txt", FAME_LIST),
    "fame-scores": ("fame-scores", "sub_score_v1_English_heard.txt", FAME_SCORES),
    "fame-key": ("fame-scores", "key.txt", FAME_KEY),
    "vfal-eva-verification": ("vfal-eva", "test_verification.pkl", pickle.dumps(VFAL_PAIRS)),
    "vfal-eva-matching": ("vfal-eva", "test_matching.pkl", pickle.dumps(VFAL_MATCHING, protocol=2)),
    "vfal-eva-matching-3": ("vfal-eva", "test_matching_10.pkl", pickle.dumps(VFAL_MATCHING_3)),
    "vfal-eva-retrieval": ("vfal-eva", "test_retrieval.pkl", pickle.dumps(VFAL_RETRIEVAL)),
}
"""What it is -> the name of its format, of a file, and the file's content."""

OTHERS: dict[str, tuple[str, str, bytes]] = {
    "vfsearch": (
        "vfsearch",
        "own.tsv",
        b"#vfsearch verification 1 {}\nprobe\titem\tmated\tscore\na.wav\tb.jpg\t1\t0.5\n",
    ),
    "wen2021-match": (
        "wen2021",
        "match_v2f_2_val.txt",
        _lines("id1/a.wav Ann/1.jpg Bob/1.jpg", "id2/b.wav Bob/2.jpg Ann/3.jpg"),
    ),
    "wen2021-verify": ("wen2021", "verify_v2f_test.txt", _lines("id1/a.wav Ann/1.jpg", "id2/b.wav Ann/3.jpg")),
    "wen2021-retrieval": ("wen2021", "reterival_v2f_test.txt", _lines("id1/a.wav id2/b.wav", "Ann/1.jpg Bob/2.jpg")),
    "cmpc-matching": (
        "cmpc-matching",
        "matching_v2f_U.csv",
        _lines("id10002/w9H-ZMvdE9M/00001.wav A.R._Rahman/1.6/6WO/0005575.jpg Donald_Glover/1.6/Y9x/0005300.jpg"),
    ),
    "cmpc-verification": (
        "cmpc-verification",
        "veriflist_test_random_seenheard.txt",
        _lines(
            "id,voice-speaker-id,face-speaker-id,label,voice-path,face-path",
            "1,2,2,1,A.R._Rahman/gaQqIoV_aLY_0000001.wav,A.R._Rahman/QanuGhOhb9A/0035550.jpg",
        ),
    ),
    "cmpc-retrieval": (
        "cmpc-retrieval",
        "jpg_20k.csv",
        _lines("VoxCeleb1 ID\tjpg", "id10002\tA.R._Rahman/1.6/6WO410QOeuo/0003800.jpg"),
    ),
}
"""The same for formats with tests of their own; for what all formats must do."""
ALL = {**EXAMPLES, **OTHERS}
