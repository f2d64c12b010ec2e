"""Every system call of a save failing, or the program killed there: the old vault or the new one, never neither."""

from harness import OTHER_SECRET, House, old_or_new, sweep

ADD = ("add", "beta", "--secret", "-")


def show(tally, figures):
    figures(str(tally))
    assert not tally.lost, "\n".join([str(tally), *tally.lost])


def test_add(house, tmp_path, long, figures):
    judge = old_or_new({"alpha"}, {"alpha", "beta"})
    show(sweep("add", house, ADD, judge, tmp_path, stdin=OTHER_SECRET, everything=long), figures)


def test_control_a_file_written_in_place_is_lost(control, tmp_path, figures):
    judge = old_or_new({"alpha"}, {"alpha", "beta"}, go_on=False)
    tally = sweep("control: add, in place", control("truncate"), ADD, judge, tmp_path, stdin=OTHER_SECRET)
    figures(str(tally))
    assert tally.lost, "the suite finds nothing lost where a file is truncated and written: it proves nothing"
    assert any("KILL" in lost for lost in tally.lost) and any("ENOSPC" in lost for lost in tally.lost)
