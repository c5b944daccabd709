"""Real files: every format, every orientation, every way to be broken."""

from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from made_files import ORIENTATIONS, PATIENT, blob, dicom_series, dicom_slice, fastmri, save, template, turned
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from medtut.data.files import read_image
from medtut.data.geometry import plane, to_grid, weights, write_nifti
from medtut.errors import BadInput

OBLIQUE = nibabel.affines.from_matvec(
    nibabel.eulerangles.euler2mat(0.1, -0.05, 0.08) @ np.diag([1.2, 0.9, 2.5]), [-11, 7, 30]
)


@pytest.fixture(scope="module")
def t1():
    return template()


@pytest.fixture(scope="module")
def canonical_t1(t1):
    return nibabel.as_closest_canonical(t1)


def codes(orientation):
    return "".join(nibabel.orientations.ornt2axcodes(orientation))


def test_orientations_are_all_48():
    assert len({nibabel.orientations.ornt2axcodes(o) for o in ORIENTATIONS}) == 48


@pytest.mark.parametrize(
    "orientation", ORIENTATIONS, ids=lambda o: "".join(nibabel.orientations.ornt2axcodes(o))
)
def test_nifti_in_every_orientation(orientation, t1, canonical_t1, tmp_path):
    """One volume stored in 48 ways is read as one array; its slice on the prior's grid has one affine."""
    stored = turned(t1, orientation)
    assert nibabel.aff2axcodes(stored.affine) == nibabel.aff2axcodes(
        t1.affine @ nibabel.orientations.inv_ornt_aff(orientation, t1.shape)
    )
    image = read_image(save(stored, tmp_path / "t1.nii"))
    assert np.abs(image.array - canonical_t1.get_fdata()).max() == 0
    assert np.abs(image.affine - canonical_t1.affine).max() < 1e-4
    assert image.spacing == pytest.approx((2, 2, 2))

    grid = to_grid(plane(image, 40), 128)
    write_nifti(tmp_path / "slice.nii", grid.pixels, grid.affine)
    assert at_same_place(tmp_path / "slice.nii", canonical_t1) > 0.99


def at_same_place(path, volume: nibabel.Nifti1Image) -> float:
    """Correlation of a written slice with the nearest voxels of a volume at the same places in space."""
    written = nibabel.load(path)
    index = np.stack(np.meshgrid(*map(np.arange, written.shape), indexing="ij"), -1).reshape(-1, 3)
    place = nibabel.affines.apply_affine(written.affine, index)
    nearest = np.round(nibabel.affines.apply_affine(np.linalg.inv(volume.affine), place)).astype(int)
    inside = ((nearest >= 0) & (nearest < volume.shape)).all(1)
    there = np.asarray(volume.dataobj)[tuple(nearest[inside].T)]
    return np.corrcoef(there, written.get_fdata().reshape(-1)[inside])[0, 1]


def test_orientation_test_can_fail(canonical_t1, tmp_path):
    """A mirrored slice, or one at the wrong place, does not pass the comparison above."""
    volume = nibabel.Nifti1Image(blob((60, 72, 54)), np.diag([3, 3, 3, 1.0]))
    grid = to_grid(plane(read_image(save(volume, tmp_path / "b.nii")), 20), 128)
    for name, pixels, move in (
        ("good", grid.pixels, 0),
        ("mirror", grid.pixels[:, ::-1], 0),
        ("off", grid.pixels, 9),
    ):
        affine = grid.affine.copy()
        affine[0, 3] += move
        write_nifti(tmp_path / f"{name}.nii", np.ascontiguousarray(pixels), affine)
    assert at_same_place(tmp_path / "good.nii", volume) > 0.99
    assert at_same_place(tmp_path / "mirror.nii", volume) < 0.98
    assert at_same_place(tmp_path / "off.nii", volume) < 0.98


def test_screen_shows_the_front_on_top_and_the_right_on_the_left(tmp_path):
    volume = np.zeros((40, 50, 3), np.int16)
    volume[5:35, 5:45] = 50
    volume[30:35, 35:45] = 100  # right and in front
    pixels = plane(read_image(save(nibabel.Nifti1Image(volume, np.eye(4)), tmp_path / "a.nii")), 1).pixels
    row, column = np.argwhere(pixels == 100).mean(0)
    assert pixels.shape == (50, 40)
    assert row < 15
    assert column < 15


def test_slice_and_volume_are_picked(tmp_path):
    series = np.stack([blob(), 2 * blob()], 3)
    path = save(nibabel.Nifti1Image(series, OBLIQUE), tmp_path / "s.nii.gz")
    image = read_image(path, slice=7, volume=1)
    whole = read_image(path, volume=1)
    assert np.array_equal(image.array, whole.array[:, :, 7])
    assert image.affine @ [0, 0, 0, 1] == pytest.approx(whole.affine @ [0, 0, 7, 1])


@pytest.mark.parametrize("affine", [OBLIQUE, np.diag([1.2, -0.9, 2.5, 1]), np.diag([-1.2, -0.9, -2.5, 1])])
def test_dicom_equals_nifti(affine, tmp_path):
    """The same volume as a shuffled, rescaled DICOM series and as NIfTI gives the same array and affine."""
    volume = blob()
    stored = read_image(dicom_series(tmp_path / "series", volume, affine, slope=0.5, intercept=-3.0))
    written = read_image(save(nibabel.Nifti1Image(volume * 0.5 - 3, affine), tmp_path / "v.nii"))
    assert np.array_equal(stored.array, written.array)
    assert np.abs(stored.affine - written.affine).max() < 1e-3
    assert stored.spacing == pytest.approx(written.spacing, abs=1e-4)


def test_no_patient_field_is_kept(tmp_path, capfd):
    folder = dicom_series(tmp_path / "series", blob(), OBLIQUE)
    image = read_image(folder)
    said = repr(image) + "".join(capfd.readouterr())
    assert PATIENT in str(pydicom.dcmread(folder / "000.dcm").PatientName)
    for secret in (PATIENT, "Nightingale", "12051820", "18200512"):
        assert secret not in said


def test_npy_is_taken_as_it_looks_on_a_screen(tmp_path):
    picture = np.arange(32 * 40.0).reshape(32, 40)
    np.save(tmp_path / "a.npy", picture)
    image = read_image(tmp_path / "a.npy")
    assert image.array.dtype == np.float32
    assert np.array_equal(plane(image).pixels, picture.astype(np.float32))
    assert not image.measured
    assert "1 mm" in image.notes[0]
    np.save(tmp_path / "c.npy", picture * 1j)
    assert read_image(tmp_path / "c.npy").kind == "complex"


def test_an_image_of_the_grid_s_size_stays_as_it_is(tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).random((128, 128)))
    image = read_image(tmp_path / "a.npy")
    assert np.array_equal(to_grid(plane(image), 128, image.measured).pixels, plane(image).pixels)


@pytest.mark.parametrize("ratio", [0.4, 1.0, 1.9, 3.7])
def test_interpolation_keeps_ramps(ratio):
    """A ramp is read at the places claimed: exactly where the tent is linear interpolation, else to 3 %."""
    w = weights(200, 16, ratio, 101.3)
    at = 101.3 + (np.arange(16) - 7.5) * ratio
    assert np.abs(w.sum(1) - 1).max() < 1e-12
    assert np.abs(w @ np.arange(200.0) - at).max() < (0.03 * ratio if ratio > 1 else 1e-9)


def test_fastmri_kspace_and_reconstruction(tmp_path):
    rng = np.random.default_rng(0)
    k = (rng.normal(size=(2, 4, 64, 32)) + 1j * rng.normal(size=(2, 4, 64, 32))).astype(np.complex64)
    image = read_image(fastmri(tmp_path / "a.h5", k, reconstruction_rss=np.ones((2, 32, 32), np.float32)))
    assert image.kind == "kspace"
    assert np.array_equal(image.array, k)
    assert image.spacing == pytest.approx((440 / 64, 220 / 32, 5))
    assert read_image(tmp_path / "a.h5", slice=1).array.shape == (1, 4, 64, 32)
    single = fastmri(tmp_path / "one.h5", k[:, 0], mask=np.arange(32) % 2)
    assert read_image(single).array.shape == (2, 1, 64, 32)
    assert read_image(single).mask.sum() == 16


def test_real_files_of_installed_packages():
    """A DICOM scan that pydicom carries and a NIfTI that nibabel carries; neither is ours."""
    image = read_image(get_testdata_file("MR_small.dcm", download=False))
    assert image.array.shape == (64, 64, 1)
    assert image.spacing == pytest.approx((0.3125, 0.3125, 0.8))
    path = Path(nibabel.__file__).parent / "tests" / "data" / "example4d.nii.gz"
    assert read_image(path, volume=0).array.shape == (128, 96, 24)


# --- broken files: (name, what makes it, words that the sentence must hold) ---------------------------------


def cut(path, share=0.6):
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    return path


def array(path, value):
    np.save(path, value)
    return path


def without_pixels(path):
    d = dicom_slice(blob()[:, :, 9], (0, 0, 0), (1, 0, 0, 0, 1, 0), (1, 1, 1), generate_uid())
    del d.PixelData
    d.save_as(path, enforce_file_format=True)
    return path


def changed_series(folder, change):
    dicom_series(folder, blob(), np.eye(4))
    change(folder)
    return folder


def rewrite(path, **fields):
    d = pydicom.dcmread(path)
    for name, value in fields.items():
        setattr(d, name, value)
    d.save_as(path)


def nifti(path, data, affine=None):
    return save(nibabel.Nifti1Image(data, np.eye(4) if affine is None else affine), path)


def flat(path):
    header = nibabel.Nifti1Header()
    header["sform_code"], header["srow_x"], header["srow_y"] = 1, [1, 0, 0, 0], [0, 1, 0, 0]  # srow_z stays 0
    return save(nibabel.Nifti1Image(blob(), None, header), path)


def text(path, content=b"not an image"):
    path.write_bytes(content)
    return path


def pickled(path):
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return path


KSPACE = np.ones((1, 2, 64, 32), np.complex64)
BROKEN = {
    "no such file": (lambda d: d / "none.nii", "does not exist"),
    "empty file": (lambda d: text(d / "a.nii", b""), "is empty"),
    "unknown kind": (lambda d: text(d / "a.txt"), "NIfTI"),
    "truncated nii": (lambda d: cut(nifti(d / "a.nii", blob())), "not a whole NIfTI"),
    "truncated nii.gz": (lambda d: cut(nifti(d / "a.nii.gz", blob())), "not a whole NIfTI"),
    "text called nii": (lambda d: text(d / "a.nii"), "not a whole NIfTI"),
    "NaN": (
        lambda d: nifti(d / "a.nii", np.full((20, 20, 20), np.nan, np.float32)),
        "8000 values that are NaN",
    ),
    "infinity": (
        lambda d: array(d / "a.npy", np.array([[1.0, np.inf]] * 20)),
        "20 values that are NaN or infinite",
    ),
    "no voxels": (lambda d: array(d / "a.npy", np.zeros((0, 4))), "no pixels"),
    "flat voxels": (lambda d: flat(d / "a.nii"), "voxel"),
    "four axes": (lambda d: nifti(d / "a.nii", np.stack([blob()] * 3, 3)), "volume=0 to 2"),
    "five axes": (lambda d: nifti(d / "a.nii", np.ones((4, 4, 4, 2, 2), np.int16)), "shape (4, 4, 4, 2, 2)"),
    "npy of one axis": (lambda d: array(d / "a.npy", np.ones(9)), "shape (9,)"),
    "npy of words": (lambda d: array(d / "a.npy", np.array([["a", "b"]])), "numbers are needed"),
    "npy with a pickle": (lambda d: pickled(d / "a.npy"), "not a whole .npy"),
    "truncated npy": (lambda d: cut(array(d / "a.npy", np.ones((64, 64)))), "not a whole .npy"),
    "DICOM without pixels": (lambda d: without_pixels(d / "a.dcm"), "without pixels"),
    "truncated DICOM": (
        lambda d: cut(sorted(dicom_series(d / "s", blob(), np.eye(4)).iterdir())[0], 0.9),
        "cannot be decoded",
    ),
    "text called dcm": (lambda d: text(d / "a.dcm"), "not a whole DICOM"),
    "empty folder": (lambda d: d, "no DICOM file"),
    "missing slice": (lambda d: changed_series(d / "s", lambda f: (f / "005.dcm").unlink()), "mm apart"),
    "two series": (
        lambda d: changed_series(d / "s", lambda f: rewrite(f / "005.dcm", SeriesInstanceUID=generate_uid())),
        "2 DICOM series",
    ),
    "two orientations": (
        lambda d: changed_series(
            d / "s", lambda f: rewrite(f / "005.dcm", ImageOrientationPatient=[0, 1, 0, 0, 0, 1])
        ),
        "different orientation",
    ),
    "colour DICOM": (lambda d: get_testdata_file("SC_rgb_small_odd.dcm", download=False), "colours"),
    "DICOM with a broken header": (lambda d: get_testdata_file("badVR.dcm", download=False), "standard"),
    "truncated HDF5": (lambda d: cut(fastmri(d / "a.h5", KSPACE)), "not a whole HDF5"),
    "real k-space": (lambda d: fastmri(d / "a.h5", KSPACE.real), "complex by nature"),
    "k-space of two axes": (lambda d: fastmri(d / "a.h5", KSPACE[0, 0]), "shape (64, 32)"),
    "mask of another width": (lambda d: fastmri(d / "a.h5", KSPACE, mask=np.ones(31)), "31 columns"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_get_one_sentence(case, tmp_path):
    make, words = BROKEN[case]
    with pytest.raises(BadInput) as refusal:
        read_image(make(tmp_path))
    sentence = str(refusal.value).replace(str(tmp_path), "")
    assert words in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.mark.parametrize("index", [-1, 18])
def test_slice_out_of_range(index, tmp_path):
    with pytest.raises(BadInput, match=f"got slice {index}, but the file has slices 0 to 17"):
        read_image(nifti(tmp_path / "a.nii", blob()), slice=index)
