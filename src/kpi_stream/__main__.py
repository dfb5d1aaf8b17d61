"""``python -m kpi_stream`` is the command ``kpi-stream``."""

from kpi_stream.cli import main

if __name__ == "__main__":
    main()
