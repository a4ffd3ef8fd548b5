"""``reelbench data prepare``: a corpus is generated before a bench needs it."""

from __future__ import annotations


def test_a_corpus_of_so_many_training_stories_is_made(reelbench, tmp_path):
    cache = str(tmp_path / "cache")
    done = reelbench("data", "prepare", "microworld/smoke", "--stories", "5", "--cache", cache)
    assert done.returncode == 0, done.stderr
    assert "microworld/smoke/stories5: ready in" in done.stdout
    assert "generating microworld/smoke/stories5 (about " in done.stderr


def test_stories_that_are_no_families_are_refused_before_anything_is_made(reelbench, tmp_path):
    done = reelbench(
        "data", "prepare", "microworld/smoke", "--stories", "7", "--cache", str(tmp_path / "cache")
    )
    assert done.returncode != 0
    assert "families of 5; 'stories7' is no multiple" in done.stderr
    assert not (tmp_path / "cache").exists()


def test_a_dataset_of_so_many_stories_and_no_others_says_so(reelbench):
    done = reelbench("data", "prepare", "didemo", "--stories", "5")
    assert done.returncode != 0
    assert "'didemo' has as many stories as it has; leave --stories out" in done.stderr
