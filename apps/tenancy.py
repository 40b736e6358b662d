"""One tenant's rows refer to no other tenant's: the database refuses it, whoever asks, raw SQL included."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils.translation import gettext_lazy as _

FOREIGN_KEY = (
    "ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (organization_id, {column}) "
    "REFERENCES {target} (organization_id, id) DEFERRABLE INITIALLY DEFERRED"
)


class SameOrganization(models.BaseConstraint):
    """What `field` refers to is a row of the same organization: a foreign key over both columns.

    The model referred to needs a `UniqueConstraint(fields=["id", "organization"])`, made by an earlier migration or
    operation; in this order, since without statistics an index that starts with the organization would be taken for
    finding a product by its SKU. An empty reference is no row, and refers to nobody's. Where rows are many, the field
    and `organization` can do without a key of their own (`db_constraint=False`): this one implies both.
    """

    default_violation_error_message = _("This belongs to another organization.")

    def __init__(self, field: str, *, name: str, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.field = field

    def constraint_sql(self, model: Any, schema_editor: BaseDatabaseSchemaEditor | None) -> str:
        """Never inside CREATE TABLE: the table referred to may not be there yet."""
        assert schema_editor
        schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))
        return ""

    def create_sql(self, model: Any, schema_editor: BaseDatabaseSchemaEditor | None) -> Any:
        assert schema_editor
        field: Any = model._meta.get_field(self.field)
        names = {"table": model._meta.db_table, "name": self.name, "column": field.column}
        names["target"] = field.related_model._meta.db_table
        return FOREIGN_KEY.format(**{key: schema_editor.quote_name(name) for key, name in names.items()})

    def remove_sql(self, model: Any, schema_editor: BaseDatabaseSchemaEditor | None) -> Any:
        assert schema_editor
        return schema_editor._delete_fk_sql(model, self.name)  # type: ignore[attr-defined]

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: str | None = "default") -> None:
        """Raises ValidationError when the row referred to is another organization's."""
        field: Any = model._meta.get_field(self.field)
        pk = getattr(instance, field.attname)
        if pk is None or self.field in (exclude or ()):
            return
        own = field.related_model._base_manager.using(using).filter(organization=instance.organization_id, pk=pk)
        if not own.exists():
            raise ValidationError(self.get_violation_error_message(), code=self.violation_error_code)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SameOrganization) and self.deconstruct() == other.deconstruct()

    __hash__ = None  # type: ignore[assignment]

    def deconstruct(self) -> Any:
        path, _args, kwargs = super().deconstruct()
        return path, (self.field,), kwargs
