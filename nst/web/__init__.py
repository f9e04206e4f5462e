"""What the page of app.py is made of; nothing else in `nst` needs Gradio, but for its examples."""
