"""The error body, for the description of the API."""

from rest_framework import serializers

from .errors import CODES


class Detail(serializers.Serializer):
    attribute = serializers.CharField()
    message = serializers.CharField()


class ProblemBody(serializers.Serializer):
    """RFC 9457, with the seeds' `message` and `details`."""

    type = serializers.URLField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.ChoiceField(choices=sorted(CODES))
    message = serializers.CharField()
    details = Detail(many=True)
    request_id = serializers.CharField()
