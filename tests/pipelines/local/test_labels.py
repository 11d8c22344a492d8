from pipelines.local.labels import iteration_label, label_tasks, safe_name


def task(name, component="c"):
    return {"taskInfo": {"name": name}, "componentRef": {"name": component}}


COMPONENTS = {"c": {}, "loop": {"dag": {"tasks": {"train": task("train")}}}}


def test_display_name_is_the_label_and_a_repeated_one_gives_way_to_the_own_name():
    tasks = {"halt": task("halt"), "halt-2": task("halt"), "judge": task("Judge it!")}
    assert label_tasks(tasks, COMPONENTS) == {
        ("halt",): "halt", ("halt-2",): "halt-2", ("judge",): "Judge-it",
    }  # fmt: skip


def test_task_beside_a_loop_never_reads_like_one_of_its_iterations():
    search = {**task("search", "loop"), "parameterIterator": {"itemInput": "item"}}
    tasks = {"search": search, "train-2": task("train-2")}
    labels = label_tasks(tasks, COMPONENTS)
    iterations = {iteration_label(labels["search", "train"], (index,)) for index in range(5)}
    assert labels["train-2",] not in iterations


def test_equal_names_in_two_loops_get_the_names_of_their_loops():
    tasks = {"one": task("one", "loop"), "two": task("two", "loop")}
    labels = label_tasks(tasks, COMPONENTS)
    assert labels["one", "train"] == "one-train"
    assert labels["two", "train"] == "two-train"


def test_name_cannot_leave_its_folder():
    assert safe_name("../../etc/pass wd") == "etc-pass-wd"
    assert safe_name("…") == "task"
