import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { InterviewBar } from './InterviewBar';
import { StartInterview } from './StartInterview';
import './interview.css';

/** On the list: the way into a mock interview. On every practice page while one goes on: its clock and what it asks. */
export function mountInterview(page: Document): void {
  const start = page.querySelector('[data-interview]');
  const root = page.body.dataset.root ?? '';
  if (start) createRoot(start).render(createElement(StartInterview, { page }));
  const place = page.createElement('div');
  page.querySelector('main')?.prepend(place);
  createRoot(place).render(createElement(InterviewBar, { page, root }));
}
