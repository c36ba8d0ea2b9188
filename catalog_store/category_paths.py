"""The category tree of an environment whose references were checked."""

from catalog_store.records import Category, Environment


class CategoryPaths:
    """The category tree, as paths."""

    def __init__(self, environment: Environment) -> None:
        self._categories = {c.name: c for c in environment.categories}
        self._paths: dict[str, tuple[Category, ...]] = {}

    def path(self, name: str) -> tuple[Category, ...]:
        """The categories from the root down to one."""
        known = self._paths.get(name)
        if known is None:
            category = self._categories[name]
            above = () if category.parent is None else self.path(category.parent)
            known = self._paths[name] = (*above, category)
        return known
