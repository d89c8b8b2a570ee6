"""AWS as the runbook's commands meet it: an emulator that holds what a template deploys.

    emulator.py TEMPLATE STACK

SAM's own translator says what that is, so what is renamed in the template is not found here under
its old name. Stacks themselves are answered for below, and only as far as somebody asks what their
resources are called. Prints its address, and serves until it is ended.
"""

import io
import json
import os
import sys
import threading
import time
import zipfile
from pathlib import Path
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

os.environ.update(
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    # One in which the command line of version 1 asks for queues where it is told to.
    AWS_DEFAULT_REGION="eu-central-2",
    AWS_EC2_METADATA_DISABLED="true",
)

import boto3
from moto.core import config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse
from werkzeug.serving import WSGIRequestHandler, make_server

# What AWS puts behind the names that it makes.
SUFFIX = "1A2B3C4D5E6F"
# What a function logs when it cannot do its work.
COMPLAINT = {
    "timestamp": "2030-01-01T00:00:00.000000Z",
    "level": "WARN",
    "fields": {"message": "message failed", "cause": "the table did not answer"},
    "span": {"name": "message", "trace_id": "0" * 32, "intent_id": "nobody"},
}
ASSUMED = {"Version": "2012-10-17", "Statement": []}
LISTED = """<ListStackResourcesResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
<ListStackResourcesResult><StackResourceSummaries>{members}</StackResourceSummaries></ListStackResourcesResult>
</ListStackResourcesResponse>"""
MEMBER = """<member><LogicalResourceId>{logical}</LogicalResourceId>
<PhysicalResourceId>{physical}</PhysicalResourceId><ResourceType>{type}</ResourceType>
<ResourceStatus>CREATE_COMPLETE</ResourceStatus>
<LastUpdatedTimestamp>2030-01-01T00:00:00Z</LastUpdatedTimestamp></member>"""
REFUSED = """<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error>
<Type>Sender</Type><Code>ValidationError</Code><Message>{message}</Message>
</Error></ErrorResponse>"""


class NoManagedPolicies:
    def load(self):
        return {}


def translated(path):
    """The resources of the template, as CloudFormation gets them."""
    template = yaml_parse(Path(path).read_text())
    # Where the code lies is only known once it has been uploaded.
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/code.zip"
    return transform(template, {}, NoManagedPolicies())["Resources"]


class Stack:
    """The resources that there are, by their logical names."""

    # In the order in which they can be made.
    MADE = [
        "AWS::IAM::Role",
        "AWS::SQS::Queue",
        "AWS::DynamoDB::Table",
        "AWS::SecretsManager::Secret",
        "AWS::Lambda::Function",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Scheduler::Schedule",
        "AWS::CloudWatch::Alarm",
    ]

    def __init__(self, name, resources, endpoint):
        self.name = name
        self.endpoint = endpoint
        self.physical = {}
        self.arns = {}
        self.types = {}
        for kind in self.MADE:
            make = getattr(self, kind.split("::")[-1].lower())
            for logical, resource in resources.items():
                # What has a condition is there only in deployments that ask for it.
                if resource["Type"] == kind and "Condition" not in resource:
                    self.types[logical] = kind
                    make(logical, f"{name}-{logical}-{SUFFIX}", resource["Properties"])

    def client(self, service):
        return boto3.client(service, endpoint_url=self.endpoint)

    def value(self, value):
        """A value with its references resolved; what is chosen by a condition is left out."""
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "Ref" in value:
            return self.physical.get(value["Ref"], value["Ref"])
        if "Fn::GetAtt" in value:
            logical, attribute = value["Fn::GetAtt"]
            return self.physical[logical].rsplit("/", 1)[-1] if attribute == "QueueName" else self.arns[logical][attribute]
        kept = {name: self.value(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if "Fn::If" not in str(inner)}

    def role(self, logical, name, _):
        role = self.client("iam").create_role(
            RoleName=name[:64], AssumeRolePolicyDocument=json.dumps(ASSUMED)
        )
        self.physical[logical] = name
        self.arns[logical] = {"Arn": role["Role"]["Arn"]}

    def queue(self, logical, name, _):
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        self.physical[logical] = url
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        self.arns[logical] = {"Arn": attributes["Attributes"]["QueueArn"]}

    def table(self, logical, name, wanted):
        taken = ["AttributeDefinitions", "KeySchema", "BillingMode"]
        table = self.client("dynamodb").create_table(
            TableName=name,
            StreamSpecification={"StreamEnabled": True, **wanted["StreamSpecification"]},
            **{key: wanted[key] for key in taken},
        )["TableDescription"]
        self.physical[logical] = name
        self.arns[logical] = {"Arn": table["TableArn"], "StreamArn": table["LatestStreamArn"]}

    def secret(self, logical, name, _):
        secret = self.client("secretsmanager").create_secret(Name=name, SecretString="before")
        self.physical[logical] = secret["ARN"]

    def function(self, logical, name, wanted):
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("bootstrap", "")
        function = self.client("lambda").create_function(
            FunctionName=name,
            Role=self.value(wanted["Role"]),
            Runtime=wanted["Runtime"],
            Handler=wanted["Handler"],
            Code={"ZipFile": code.getvalue()},
        )
        self.physical[logical] = name
        self.arns[logical] = {"Arn": function["FunctionArn"]}
        logs, group = self.client("logs"), f"/aws/lambda/{name}"
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="s")
        line = {"timestamp": int(time.time() * 1000), "message": json.dumps(COMPLAINT)}
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[line])

    def eventsourcemapping(self, logical, _, wanted):
        mapping = self.client("lambda").create_event_source_mapping(**self.value(wanted))
        self.physical[logical] = mapping["UUID"]

    def schedule(self, logical, _, wanted):
        self.client("scheduler").create_schedule(**self.value(wanted))
        self.physical[logical] = wanted["Name"]

    def alarm(self, logical, name, wanted):
        self.client("cloudwatch").put_metric_alarm(AlarmName=name, **self.value(wanted))
        self.physical[logical] = name

    def described(self, request):
        """What CloudFormation answers to the one thing that it is asked here."""
        asked = {name: values[0] for name, values in parse_qs(request).items()}
        if asked["Action"] != "ListStackResources":
            return 400, REFUSED.format(message=escape(f"{asked['Action']} is not emulated"))
        if asked.get("StackName") != self.name:
            return 400, REFUSED.format(message="there is no such stack")
        members = [
            MEMBER.format(logical=logical, physical=escape(name), type=self.types[logical])
            for logical, name in self.physical.items()
        ]
        return 200, LISTED.format(members="".join(members))


class Silent(WSGIRequestHandler):
    def log(self, *_):
        pass


def main(template, name):
    config.default_user_config["lambda"] = {"use_docker": False}
    emulated, stacks = DomainDispatcherApplication(create_backend_app), []

    def application(environ, start):
        if "/cloudformation/" not in environ.get("HTTP_AUTHORIZATION", ""):
            return emulated(environ, start)
        size = int(environ.get("CONTENT_LENGTH") or 0)
        status, text = stacks[0].described(environ["wsgi.input"].read(size).decode())
        start(f"{status} -", [("Content-Type", "text/xml")])
        return [text.encode()]

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Silent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    stack = Stack(name, translated(template), endpoint)
    stacks.append(stack)
    # One alarm rings.
    stack.client("cloudwatch").set_alarm_state(
        AlarmName=stack.physical["DeadLettersAlarm"],
        StateValue="ALARM",
        StateReason="something was given up",
    )
    print(endpoint, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
