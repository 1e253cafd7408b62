"""The REST API, `/api/v1/`: the same stations and the same sight as the pages, for programs.

A resource is a class of ``base.ApiView`` whose methods are ``operations.operation``s; what an
operation declares (scope, body, filters, answer) is what is checked and what the schema says.
"""
