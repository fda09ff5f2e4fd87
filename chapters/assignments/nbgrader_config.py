"""nbgrader's settings for the assignments; `grading.py` and `grade_class.py` read them."""

c = get_config()  # noqa: F821  # nbgrader defines it

c.CourseDirectory.course_id = "language-models"
c.ClearSolutions.code_stub = {"python": "# Your code here.\nraise NotImplementedError"}
c.ClearSolutions.text_stub = "Your answer here."
c.Execute.timeout = 30  # seconds per cell; grade_class.py --seconds changes it
c.Execute.interrupt_on_timeout = True  # the other cells are still graded

# nbgrader gives 0 points to a check that wrote anything to stderr, even a warning or one of
# TensorFlow's start-up lines. Only an error should cost points.
c.Execute.extra_arguments = [
    "--HistoryManager.hist_file=:memory:",
    "--IPKernelApp.capture_fd_output=False",
]
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = "(?s).*"
