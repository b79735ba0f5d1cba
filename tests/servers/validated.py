"""The application of app.py, between whose both sides wsgiref.validate watches, on wsgiref."""

import sys
from wsgiref.simple_server import make_server
from wsgiref.validate import validator

from app import app

make_server('127.0.0.1', int(sys.argv[1]), validator(app)).serve_forever()
