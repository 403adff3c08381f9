// What the tests of the viewer do and read in the page.
const $ = (id) => document.getElementById(id), text = (id) => $(id).textContent;
const press = (key, where = $("stage")) => where.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
const choose = (id, value) => { $(id).value = value; $(id).dispatchEvent(new Event("input")); };
const options = () => [...document.querySelectorAll("#options li")].map((li) => parseFloat(li.querySelector(".number").textContent));
const current = () => document.querySelector("#list [aria-current]").dataset.example;
const step = () => document.querySelector("#path [aria-current]").textContent;
const count = () => document.querySelectorAll("#list button").length;
const arm = (name) => { const input = document.querySelector(`#arms input[value="${name}"]`); input.click(); };
