"""The page of the demo tells what happened so far."""


def test_an_unfinished_story_says_so(story, tmp_path):
    text = story.write(tmp_path).read_text()
    assert "under way" in text
    assert "3 of 12 months" in text
    assert "A sabotaged model" not in text


def test_reasons_are_told_and_escaped(story, tmp_path):
    assert "late &lt;drifted&gt;" in story.write(tmp_path).read_text()


def test_the_chart_has_a_point_for_each_month_and_marks_where_a_model_was_trained(story, tmp_path):
    text = story.write(tmp_path).read_text()
    late, told = [part.split('"')[0].split() for part in text.split('points="')[1:]]
    assert (len(late), len(told)) == (3, 2)  # nothing was foretold in January
    height = [float(point.split(",")[1]) for point in late]
    assert height[2] < height[0]  # more late flights stand higher
    assert text.count('class="mark"') == 2


def test_the_end_of_the_story_tells_whether_the_endpoint_was_kept(story, step, tmp_path):
    story.ended, story.sabotaged, story.kept = "done", step("REFUSED", "auc 0.5", "training"), True
    assert "the same revision gave the same answers" in story.write(tmp_path).read_text()
    story.kept = False
    assert "no longer answers as before" in story.write(tmp_path).read_text()
