"""Our authorization server: django-oauth-toolkit, and what it leaves open closed (RFC 9700)."""
