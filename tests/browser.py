"""A person at the page: Debian's Chromium without a screen."""

import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from process import Trouble, wait_until

try:
    from selenium import webdriver
    from selenium.common.exceptions import (
        ElementClickInterceptedException, ElementNotInteractableException,
        NoSuchElementException, StaleElementReferenceException)
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.keys import Keys
except ImportError:
    webdriver = None

CHROMIUM = shutil.which('chromium', path='/usr/bin:/usr/local/bin')
DRIVER = shutil.which('chromedriver', path='/usr/bin:/usr/local/bin')
needs_browser = pytest.mark.skipif(
    not (webdriver and CHROMIUM and DRIVER),
    reason='chromium, chromium-driver or python3-selenium is not installed')

SWITCHES = ['--headless=new', '--no-sandbox', '--disable-gpu',
            '--disable-dev-shm-usage', '--hide-scrollbars',
            '--disable-background-networking', '--no-first-run',
            '--lang=en-GB']
SEEN = '''
    const [css, text] = arguments;
    return [...document.querySelectorAll(css)].find(e =>
        e.getClientRects().length && e.checkVisibility(
            {opacityProperty: true, visibilityProperty: true}) &&
        (text === null || e.innerText.includes(text)));'''
WIDTHS = {360: 740, 1440: 900}
AXE = 'axe-core@4.10'


class Page:
    """What somebody sees and does.  `expected` are parts of console messages
    that belong to the test."""

    def __init__(self):
        options = Options()
        options.binary_location = CHROMIUM
        for switch in SWITCHES:
            options.add_argument(switch)
        options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
        self.driver = webdriver.Chrome(service=Service(DRIVER),
                                       options=options)

    def begin(self, shop, width=1440, dark=False, motion=False):
        """Somebody who was never here, and would rather see nothing move."""
        self.shop, self.width, self.expected = shop, width, []
        self.who = None
        self.cdp('Emulation.setDeviceMetricsOverride', width=width,
                 height=WIDTHS[width], deviceScaleFactor=1,
                 mobile=width < 600)
        self.cdp('Emulation.setTouchEmulationEnabled', enabled=width < 600)
        self.cdp('Emulation.setEmulatedMedia', features=[
            {'name': 'prefers-color-scheme',
             'value': 'dark' if dark else 'light'},
            {'name': 'prefers-reduced-motion',
             'value': 'no-preference' if motion else 'reduce'}])
        self.motion = motion
        self.cdp('Page.setBypassCSP', enabled=False)
        self.cdp('Network.enable')
        self.cdp('Network.setBlockedURLs', urls=[])
        self.cdp('Network.clearBrowserCache')
        self.open('web/icon.svg')
        self.script('localStorage.clear(); sessionStorage.clear()')
        return self

    def cdp(self, command, **words):
        return self.driver.execute_cdp_cmd(command, words)

    def script(self, text, *words):
        return self.driver.execute_script(text, *words)

    def end(self):
        """Whatever the console said that was not expected."""
        said = self.driver.get_log('browser')
        self.driver.get('about:blank')
        self.driver.get_log('browser')
        # A machine with other things to do may refuse a first statement; the
        # page then asks once more.
        expected = ['status of 503', *self.expected]
        return [line['message'] for line in said
                if line['level'] in ('SEVERE', 'WARNING')
                and not any(part in line['message'] for part in expected)]

    # --- coming in ---

    def quit(self):
        self.driver.quit()

    def open(self, path=''):
        self.driver.get(f'{self.shop.url}/{path}')

    def go(self, path):
        self.script('location.hash = arguments[0]', '#/' + path)

    def log_in(self, name, password):
        self.open()
        self.fill('username', name)
        self.fill('password', password)
        self.click('button.main')

    def enter_as(self, who, path=''):
        """Without the form: the server counts how often it is tried."""
        self.open('web/icon.svg')
        self.script('''sessionStorage['reklam.session'] = arguments[0]''',
                    json.dumps(session(self.shop, who)))
        self.open('#/' + path)
        self.wait('main h1')
        self.who = who

    def visit(self, who, path):
        """enter_as, but only once for each."""
        if who != self.who:
            self.enter_as(who, path)
            return
        self.script('document.querySelector("main h1").isOld = true')
        self.go(path)
        wait_until(lambda: self.script(
            'const h = document.querySelector("main h1");'
            'return h && !h.isOld'), 10, path)

    # --- seeing ---

    def all(self, css):
        return self.driver.find_elements('css selector', css)

    def seen(self, css, text=None):
        """The first that is seen, of those with the text; or None."""
        return self.script(SEEN, css, text)

    def wait(self, css, text=None, seconds=10):
        what = f'{css} with {text!r}' if text else css
        try:
            return wait_until(lambda: self.seen(css, text), seconds, what,
                              0.05)
        except Trouble as found:
            raise Trouble(f'{found}, at {self.driver.current_url}') from None

    def gone(self, css, text=None, seconds=10):
        return wait_until(lambda: not self.seen(css, text), seconds,
                          f'{css} is still there', 0.05)

    def text(self, css='main'):
        return self.wait(css).text

    def hash(self):
        return self.script('return location.hash')

    # --- doing ---

    def click(self, css, text=None):
        """As a person does: what moves or is covered is tried again."""
        end = time.monotonic() + 10
        while True:
            element = self.wait(css, text)
            try:
                self.script('arguments[0].scrollIntoView({block: "center"})',
                            element)
                element.click()
                return
            except (ElementClickInterceptedException,
                    ElementNotInteractableException, NoSuchElementException,
                    StaleElementReferenceException):
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def fill(self, name, text, within=''):
        element = self.wait(f'{within} [name="{name}"], '
                            f'{within} #{name}'.strip())
        element.clear()
        element.send_keys(text)

    def choose(self, css, text):
        for option in self.wait(css).find_elements('css selector', 'option'):
            if option.text == text:
                option.click()
                return
        raise Trouble(f'{css} does not offer {text!r}')

    def press(self, *keys):
        self.driver.switch_to.active_element.send_keys(
            *(getattr(Keys, k, k) for k in keys))

    def focused(self):
        return self.driver.switch_to.active_element

    # --- looking at it ---

    def settled(self):
        """When nothing is loading and no chart moves any more."""
        self.gone('.waiting')
        wait_until(lambda: self.script(
            'return [...document.querySelectorAll(".plot")].every('
            'p => p.chart && !p.chart.animating || '
            'getComputedStyle(p).display === "none")'), 10, 'the charts')
        if self.motion:
            time.sleep(0.4)

    def shot(self, name):
        """A picture of the whole page, where REKLAM_SHOTS says."""
        where = os.environ.get('REKLAM_SHOTS')
        if not where:
            return
        size = self.cdp('Page.getLayoutMetrics')['cssContentSize']
        large = os.environ.get('REKLAM_SHOTS_LARGE')
        found = self.cdp(
            'Page.captureScreenshot', format='webp', quality=45,
            captureBeyondViewport=True,
            clip={'x': 0, 'y': 0, 'width': self.width,
                  'scale': 1 if large or self.width < 600 else 0.6,
                  'height': min(size['height'], 2400 if large
                                else 1.2 * WIDTHS[self.width])})
        Path(where, f'{name}-{self.width}.webp').write_bytes(
            base64.b64decode(found['data']))

    def axe(self, source, only=None):
        """What axe finds serious, a line each; `only` these rules."""
        if not self.script('return "axe" in window'):
            self.script(source + ';window.axe = axe;')
        found = self.driver.execute_async_script('''
            const [only, done] = arguments;
            axe.run(document, {resultTypes: ['violations'],
                ...(only && {runOnly: only})}).then(
                r => done(r.violations), e => done([{impact: 'critical',
                    id: String(e), nodes: []}]));''', only)
        return [f'{v["id"]}: {n["html"][:160]} {n.get("failureSummary")}'
                for v in found if v['impact'] in ('serious', 'critical')
                for n in v['nodes'] or [{'html': ''}]]


def session(shop, who):
    """What the page remembers of somebody who has logged in."""
    token = shop.login(who)
    user = shop.get('/api/auth/me', token=token).json['user']
    rights = shop.get('/api/permissions/me', token=token).json['data']
    return {'token': token, 'user': user, 'rights': rights}


def axe_source(directory):
    """axe-core from npm, or a test that is skipped."""
    asked = os.environ.get('AXE')
    path = Path(asked) if asked else \
        Path(directory) / 'node_modules/axe-core/axe.min.js'
    if not path.exists():
        npm = shutil.which('npm')
        if not npm:
            pytest.skip('npm is not there to fetch axe-core')
        done = subprocess.run(
            [npm, 'install', '--no-save', '--ignore-scripts', '--no-audit',
             '--no-fund', '--prefix', directory, AXE],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=100)
        if done.returncode or not path.exists():
            pytest.skip('axe-core cannot be fetched from npm')
    return path.read_text()
