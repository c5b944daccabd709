"""Checkers of the data page."""
import math

from medtut.checks import compare, exercise, require


@exercise("cohort-1")
def null_time(answer):
    """answer(tr, t1) -> inversion time that nulls a tissue [bernstein2004handbook]."""
    tr, t1 = 9000.0, 4000.0
    left = math.exp(-tr / t1)
    compare(answer(tr, t1), t1 * math.log(2 / (1 + left)), known={
        "that holds for an infinite TR; keep the term exp(-TR/T1)": t1 * math.log(2),
        "the sign of the recovery term is wrong: it is 1 + exp(-TR/T1)": t1 * math.log(2 / (1 - left)),
    }, otherwise="put your TI back into the bracket: it must vanish")
    return "CSF gives no signal at this time, so a lesion beside it stands out"


@exercise("cohort-2")
def may_train(answer):
    """answer(z, low, high, margin) -> list of bool."""
    got = [bool(v) for v in answer([-2.0, -1.0, -0.5, 0.0, 4.0, 8.0, 8.5, 9.0, 10.0], 0.0, 8.0, 1.0)]
    require(len(got) == 9, "return one value for each height")
    require(got != [v not in (0.0, 4.0, 8.0) for v in (-2, -1, -0.5, 0, 4, 8, 8.5, 9, 10)],
            "a slice half a millimetre outside the slab still passes: use the margin")
    require(not any(got[3:6]), "slices of the slab itself pass: they are held out")
    require(got == [True, True, False, False, False, False, False, True, True],
            "the edges of the margin, -1 and 9 mm here, are allowed; what lies between them is not")
    return "a slab with margins leaves no near-copy of a test slice in the training set"


@exercise("cohort-3")
def hounsfield(answer):
    """answer = (function value -> HU, difference of grey and white matter in image units)."""
    require(isinstance(answer, tuple) and len(answer) == 2, "hand over the function and the difference")
    function, difference = answer
    require(callable(function), "the first item must be your function")
    compare(function(0.75), 500.0, known={
        "you forgot that water is 0.5: subtract 1 after doubling": 1500.0,
        "HU counts thousandths: multiply by 1000": 0.5,
    }, otherwise="check three points: 0 is -1000 HU, 0.5 is 0 HU, 1 is 1000 HU")
    compare(difference, 0.004, known={
        "the image unit is 2000 HU wide, not 1000": 0.008,
        "give the difference in image units, not in HU": 8.0,
    }, otherwise="the difference is (37 - 29) HU over the width of the unit")
    return "four thousandths of the window: this is why CT is read with a narrow window"
