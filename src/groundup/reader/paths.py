"""Learning paths: a goal, and all that it needs in reading order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from groundup.lesson import Lesson


@dataclass(frozen=True)
class LearningPath:
    """Lessons that belong together: those that are wanted, and before them those that they need."""

    slug: str
    title: str
    text: str
    wanted: Callable[[Lesson], bool]


PATHS = (
    LearningPath(
        "beginner",
        "Beginner",
        "From arrays and slopes to networks that read, write and attend.",
        lambda lesson: lesson.level == "beginner",
    ),
    LearningPath(
        "intermediate",
        "Intermediate",
        "The architectures that changed the field, each from its first equation to a trained model.",
        lambda lesson: lesson.level == "intermediate",
    ),
    LearningPath(
        "advanced",
        "Advanced",
        "Papers that ask for patience: longer derivations, stranger machines.",
        lambda lesson: lesson.level == "advanced",
    ),
    LearningPath(
        "theory",
        "Theory",
        "What learning is, said in bits: description length, complexity, universal prediction.",
        lambda lesson: lesson.part == "Theory and modern",
    ),
    LearningPath(
        "modern-llm",
        "Modern LLM",
        "The shortest way to a language model of today: attention, the decoder, the Transformer and what came after.",
        lambda lesson: (
            lesson.part == "The modern LLM stack" or lesson.slug in ("tiny_decoder", "attention_is_all_you_need")
        ),
    ),
)


def on_path(path: LearningPath, lessons: Sequence[Lesson]) -> list[Lesson]:
    """The lessons of a path, in reading order; none if there is none that it wants."""
    by_slug = {lesson.slug: lesson for lesson in lessons}
    found: set[str] = set()
    wanted = [lesson.slug for lesson in lessons if path.wanted(lesson)]
    while wanted:
        slug = wanted.pop()
        if slug not in found and slug in by_slug:
            found.add(slug)
            wanted += by_slug[slug].needs
    return [lesson for lesson in lessons if lesson.slug in found]
