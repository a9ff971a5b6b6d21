"""The lessons as web pages whose cells run: what the site is built from, and the server behind `groundup learn`."""
