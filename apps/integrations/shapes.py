"""Custom connectors, integrations and keys as the API shows them (Pipe17's family: names in its manner)."""

from typing import Any

from rest_framework import serializers

from .definitions import Directions, category_of
from .keying import Issued
from .models import ApiKey, Integration


class ConnectorShape(serializers.Serializer):
    """`version` is what a change has to be based on. `grants` and `orgWideAccess` are what it asks for."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    name = serializers.CharField()
    category = serializers.CharField()
    description = serializers.CharField()
    readme = serializers.CharField()
    directions = Directions()
    grants = serializers.ListField(child=serializers.CharField())
    settingsFields = serializers.ListField(source="settings_fields", child=serializers.DictField())
    orgWideAccess = serializers.BooleanField(source="org_wide_access")
    version = serializers.IntegerField()
    createdAt = serializers.DateTimeField(source="created_at")
    updatedAt = serializers.DateTimeField(source="updated_at")


class IntegrationShape(serializers.Serializer):
    """`grants` and `orgWideAccess` are what it has; `appliedVersion` the version of the definition they are from."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    connectorId = serializers.CharField(source="connector")
    category = serializers.SerializerMethodField()
    state = serializers.ChoiceField(choices=Integration.State.choices)
    stateReason = serializers.CharField(source="state_reason")
    grants = serializers.ListField(child=serializers.CharField())
    orgWideAccess = serializers.BooleanField(source="org_wide_access")
    appliedVersion = serializers.IntegerField(source="applied_version", allow_null=True)
    createdAt = serializers.DateTimeField(source="created_at")
    updatedAt = serializers.DateTimeField(source="updated_at")

    def get_category(self, integration: Integration) -> str | None:
        return category_of(integration)


class KeyShape(serializers.Serializer):
    """`callsSinceRotation` tells whether anybody still uses a key that was replaced; null when it was not."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=ApiKey.Kind.choices)
    name = serializers.CharField()
    prefix = serializers.CharField()
    integrationId = serializers.UUIDField(source="integration_id", allow_null=True)
    connectorId = serializers.UUIDField(source="connector_id", allow_null=True)
    allGrants = serializers.BooleanField(source="all_grants")
    grants = serializers.ListField(source="may", child=serializers.CharField())
    state = serializers.ChoiceField(choices=["live", "ending", "ended"])
    calls = serializers.IntegerField(default=0)
    callsSinceRotation = serializers.IntegerField(source="calls_since_rotation", allow_null=True, default=None)
    lastUsedAt = serializers.DateTimeField(source="last_used_at", allow_null=True, default=None)
    createdAt = serializers.DateTimeField(source="created_at")
    rotatedAt = serializers.DateTimeField(source="rotated_at", allow_null=True)
    replacedBy = serializers.UUIDField(source="replaced_by_id", allow_null=True)
    expiresAt = serializers.DateTimeField(source="expires_at", allow_null=True)
    revokedAt = serializers.DateTimeField(source="revoked_at", allow_null=True)


class IssuedShape(KeyShape):
    """`key` is the key itself. It is shown this once."""

    key = serializers.CharField()

    def to_representation(self, instance: Issued) -> dict[str, Any]:
        return dict(KeyShape(instance.key).data) | {"key": instance.secret}


class CustomizedShape(serializers.Serializer):
    connector = ConnectorShape()
    integration = IntegrationShape()
    integrationKey = IssuedShape(source="integration_key")
    connectorKey = IssuedShape(source="connector_key")
