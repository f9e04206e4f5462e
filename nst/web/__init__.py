"""What the page of app.py is made of; nothing else in `nst` imports Gradio."""
